import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { until } from '../program.ts'
import type { Received } from './seat.ts'
import type { Carried, Viewer } from './studio.ts'

/** What must arrive before a flow counts as one; twice in a row, and what may not flow has stood still in between. */
const FRAMES = 6
const SOUND_BYTES = 400
const PICTURE_BYTES = 200
/** Bytes a second over the network to somebody who receives no picture and no sound, for each track that rests: reports on it, and ICE. */
const SILENCE = 300
/** How often what is decoded is looked at again where it has not come to rest. */
const ROUNDS = 5
const WAIT_MS = 45_000
/** Counting is work for all the browsers. */
const LOOK_MS = 250

/** Whether `viewer` may see, or hear, `player`: as the rules' author said it, in words of the test. */
export interface Allowed<Who extends Viewer = Viewer> {
  see(viewer: Who, player: Who): boolean
  hear(viewer: Who, player: Who): boolean
}

/** One direction between two people: its counts, and whether it may flow. */
interface Flow {
  readonly name: string
  readonly kind: 'audio' | 'video'
  readonly isAllowed: boolean
  /** By the receiver. */
  readonly bytes: number
  readonly frames: number
  /** By the server's consumer; 0 where there is none. */
  readonly sent: number
}

const NONE = { bytes: 0, frames: 0 }

const flowsOf = <Who extends Viewer>(
  people: readonly Who[],
  publishers: readonly Who[],
  allowed: Allowed<Who>,
  received: readonly Received[],
  carried: readonly Carried[],
): Flow[] =>
  people.flatMap((viewer, at) =>
    publishers
      .filter((player) => player !== viewer)
      .flatMap((player) =>
        (['audio', 'video'] as const).map((kind) => {
          const { arrived = [] } = received[at] ?? {}
          const own = arrived.filter((each) => each.player === player.id && each.kind === kind)
          const { bytes, frames } = own.reduce(
            (a, b) => ({ bytes: a.bytes + b.bytes, frames: a.frames + b.frames }),
            NONE,
          )
          const source = kind === 'audio' ? 'microphone' : 'camera'
          return {
            name: `${viewer.name} ${kind === 'audio' ? 'hears' : 'sees'} ${player.name}`,
            kind,
            isAllowed: kind === 'audio' ? allowed.hear(viewer, player) : allowed.see(viewer, player),
            bytes,
            frames,
            sent: carried
              .filter((each) => each.viewer === viewer.id && each.player === player.id && each.source === source)
              .reduce((total, { bytes: more }) => total + more, 0),
          }
        }),
      ),
  )

const counted = (flow: Flow | undefined): string => `${flow?.sent} sent, ${flow?.bytes} bytes, ${flow?.frames} frames`

const hasGrown = (now: Flow, from: Flow | undefined): boolean => {
  const bytes = now.bytes - (from?.bytes ?? 0)
  const sent = now.sent - (from?.sent ?? 0)
  if (now.kind === 'audio') return bytes >= SOUND_BYTES && sent >= SOUND_BYTES
  return bytes >= PICTURE_BYTES && sent >= PICTURE_BYTES && now.frames - (from?.frames ?? 0) >= FRAMES
}

/** Whose tracks the page is given. */
const shownTo = <Who extends Viewer>(viewer: Who, publishers: readonly Who[], { see, hear }: Allowed<Who>) =>
  publishers
    .filter((player) => player !== viewer && (see(viewer, player) || hear(viewer, player)))
    .map((player) => ({ player: player.id, camera: see(viewer, player), microphone: hear(viewer, player) }))

/**
 * Every ordered pair of people, sound and picture apart: what is allowed flows, by the count of the receiver and of the server's consumer;
 * of what is not, nothing is sent and nothing arrives. That all that is allowed has grown, twice, is the clock.
 */
export const expectFlows = async <Who extends Viewer>(
  phase: string,
  people: readonly Who[],
  publishers: readonly Who[],
  allowed: Allowed<Who>,
  carriedNow: () => Promise<readonly Carried[]>,
): Promise<void> => {
  let received: Received[] = []
  const look = async (): Promise<Flow[]> => {
    const [here, carried] = await Promise.all([
      Promise.all(people.map(({ frame }) => frame.evaluate(() => seat.received()))),
      carriedNow(),
    ])
    received = here
    return flowsOf(people, publishers, allowed, received, carried)
  }
  let missing: string[] = []
  const grownFrom = (from: readonly Flow[]): Promise<Flow[]> =>
    until<Flow[] | null>(
      async () => {
        await sleep(LOOK_MS)
        const flows = await look()
        const isGrown = flows.map((flow, at) => !flow.isAllowed || hasGrown(flow, from[at]))
        missing = flows.flatMap((flow, at) =>
          isGrown[at] ? [] : [`${flow.name} (${counted(from[at])} → ${counted(flow)})`],
        )
        return missing.length === 0 ? flows : null
      },
      'all that is allowed to flow',
      WAIT_MS,
    ).catch((error: Error) => {
      throw new Error(`${phase}: ${error.message}; ${missing.join(', ')}`)
    })

  const start = await grownFrom(await look())
  const [began, totals] = [performance.now(), received.map(({ total }) => total)]
  let [before, after] = [start, await grownFrom(start)]
  const seenMore = (): boolean => after.some((flow, at) => !flow.isAllowed && flow.frames > (before[at]?.frames ?? 0))
  // A decoder that is behind shows what came before: it is given time to get through, but nothing new.
  for (let round = 0; round < ROUNDS && seenMore(); round++) [before, after] = [after, await grownFrom(after)]
  // Reports come once a second, or less often.
  const seconds = 1 + (performance.now() - began) / 1_000
  const leaked = after.flatMap((flow, at) => {
    const bytes = flow.bytes - (start[at]?.bytes ?? 0)
    const frames = flow.frames - (before[at]?.frames ?? 0)
    const sent = flow.sent - (start[at]?.sent ?? 0)
    return !flow.isAllowed && (bytes > 0 || frames > 0 || sent > 0) ? [{ ...flow, bytes, frames, sent }] : []
  })
  expect(leaked, `${phase}: what may not flow`).toEqual([])
  for (const [at, viewer] of people.entries()) {
    const { shown = [], total = 0, arrived = [] } = received[at] ?? {}
    const wanted = shownTo(viewer, publishers, allowed)
    const order = (list: readonly { player: string }[]) => list.toSorted((a, b) => (a.player < b.player ? -1 : 1))
    expect(order(shown), `${phase}: what ${viewer.name} is shown`).toEqual(order(wanted))
    expect(arrived.filter(({ player }) => player.startsWith('nobody'))).toEqual([])
    if (wanted.length > 0) continue
    const tracks = 2 * publishers.filter((player) => player !== viewer).length
    const rate = (total - (totals[at] ?? 0)) / seconds
    expect(rate, `${phase}: bytes/s that come to ${viewer.name}`).toBeLessThan(tracks * SILENCE)
  }
  const allowedCount = after.filter(({ isAllowed }) => isAllowed).length
  console.log(`${phase}: ${allowedCount} flows grew, ${after.length - allowedCount} stood still`)
}
