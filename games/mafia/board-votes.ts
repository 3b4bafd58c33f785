import { useEffect, useRef } from 'react'

type Votes = Readonly<Record<string, string>>

const TRAVEL_MS = 280

/** Lets each new vote travel from the voter's face to the target's, unless the reader wants no motion. */
export const useTravellingVotes = (votes: Votes | null, faceOf: (player: string) => Element | null): void => {
  const before = useRef(votes)
  useEffect(() => {
    const known = before.current
    before.current = votes
    // What was there when the page came, or the phase began, does not travel.
    if (votes === null || known === null || matchMedia('(prefers-reduced-motion: reduce)').matches) return
    for (const [voter, target] of Object.entries(votes)) {
      if (known[voter] !== target) travel(faceOf(voter), faceOf(target))
    }
  }, [votes, faceOf])
}

const travel = (from: Element | null, to: Element | null): void => {
  if (from === null || to === null) return
  const [start, end] = [centreOf(from), centreOf(to)]
  const ballot = document.createElement('span')
  ballot.className = 'mafia-ballot'
  ballot.setAttribute('aria-hidden', 'true')
  document.body.append(ballot)
  const at = ({ x, y }: { x: number; y: number }, scale: number) => ({
    transform: `translate(${x}px, ${y}px) scale(${scale})`,
  })
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 - 24 }
  const flight = ballot.animate([at(start, 0.6), at(middle, 1.25), at(end, 1)], {
    duration: TRAVEL_MS,
    easing: 'ease-in-out',
  })
  flight.finished.finally(() => ballot.remove()).catch(() => {})
}

const centreOf = (element: Element): { x: number; y: number } => {
  const { left, top, width, height } = element.getBoundingClientRect()
  return { x: left + width / 2, y: top + height / 2 }
}
