import { type CSSProperties, type RefObject, use, useEffect, useRef, useState } from 'react'
import type { Standing } from '../../../client/board.ts'
import type { PlayerId, Room, RoomDocument } from '../../../client/client.ts'
import { useWords } from '../words/words.ts'
import { Mask } from './mask.tsx'
import { angleOf } from './places.ts'
import { SeatsContext } from './seats.tsx'

interface PeopleProps {
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  readonly standing: Standing | null
  /** Free seats to draw beside those that are taken. */
  readonly free: number
  /** By whom one is seen now, in a few words. */
  readonly seen: string
  attempt(request: Promise<unknown>): Promise<boolean>
}

/** The players around the table in the order of their seats, the same for everyone, with who is here. */
export const People = ({ room, info, me, standing, free, seen, attempt }: PeopleProps) => {
  const { room: words } = useWords()
  const count = info.players.length + free
  const list = useRef<HTMLUListElement>(null)
  const isStrip = useScrolls(list, count)
  const placeOf = (seat: number): CSSProperties => ({ '--angle': `${angleOf(seat, count)}deg` }) as CSSProperties
  return (
    <ul ref={list} className="people" tabIndex={isStrip ? 0 : undefined} aria-label={words.people} data-count={count}>
      {info.players.map((id, seat) => (
        <Person
          key={id}
          id={id}
          info={info}
          me={me}
          standing={standing}
          seen={id === me ? seen : ''}
          place={placeOf(seat)}
          remove={() => void attempt(room.kick(id))}
        />
      ))}
      {Array.from({ length: free }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a free seat is its place.
        <li key={index} className="free" style={placeOf(info.players.length + index)}>
          <div className="face" />
          {seen !== '' && (
            <span className="seen" aria-hidden="true">
              {seen}
            </span>
          )}
          <span className="state" data-says="true">
            {words.emptySeat}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Whether there is more of the list than its width shows: a strip, as on a phone. */
const useScrolls = (list: RefObject<HTMLElement | null>, count: number): boolean => {
  const [scrolls, setScrolls] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: those who come make a strip longer, but no wider.
  useEffect(() => {
    const element = list.current
    if (element === null) return
    const watch = new ResizeObserver(() =>
      setScrolls(getComputedStyle(element).overflowX === 'auto' && element.scrollWidth > element.clientWidth),
    )
    watch.observe(element)
    return () => watch.disconnect()
  }, [list, count])
  return scrolls
}

interface PersonProps extends Pick<PeopleProps, 'info' | 'me' | 'standing' | 'seen'> {
  readonly id: PlayerId
  readonly place: CSSProperties
  remove(): void
}

const Person = ({ id, info, me, standing, seen, place, remove }: PersonProps) => {
  const { you, somebody, room: words, media } = useWords()
  const seats = use(SeatsContext)
  const { name = somebody, connected = false } = info.members[id] ?? {}
  const isActive = standing?.active.includes(id) ?? false
  const isOut = standing?.out?.includes(id) ?? false
  const isHidden = standing?.hidden?.includes(id) ?? false
  const mayRemove = info.host === me && info.phase === 'open' && id !== me
  const states = [id === info.host && info.phase === 'open' && words.host, isOut && words.out, !connected && words.away]
  return (
    <li
      data-player-id={id}
      data-connected={connected}
      data-you={id === me}
      data-active={isActive}
      data-out={isOut}
      data-hidden={isHidden}
      style={place}
    >
      <div className="face">
        <Mask id={id} />
        <div className="view" ref={seats.views.of(id)} />
        <div className="shutter" data-closed={isHidden} />
      </div>
      <span className="name">{id === me ? `${you} · ${name}` : name}</span>
      {seen !== '' && (
        <span className="seen" aria-hidden="true">
          {seen}
        </span>
      )}
      <span className="state" data-says={states.some(Boolean)}>
        {states.filter(Boolean).join(' · ')}
        {connected && <span className="heard-only"> {words.here}</span>}
        {isHidden && <span className="heard-only"> {media.hidden}</span>}
        {isActive && <span className="heard-only"> {id === me ? words.yourMove : words.active}</span>}
      </span>
      <div className="slot" ref={seats.slots.of(id)} />
      {mayRemove && (
        <button type="button" className="quiet danger remove" aria-label={words.remove(name)} onClick={remove}>
          {words.removeShort}
        </button>
      )}
    </li>
  )
}
