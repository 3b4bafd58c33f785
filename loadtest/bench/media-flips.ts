import { fixed, percentile, sleep, table, verdict } from './figures.ts'
import type { Servers } from './media-forwarding.ts'
import { seatedTable, type Table } from './media-room.ts'
import { AUDIO_40, VIDEO_500 } from './media-rtp.ts'
import type { Leased } from './media-server.ts'
import { monotonicMs, speak } from './media-traffic.ts'

const AIM_MS = 50
/** Long enough to see what comes late, short enough for many. */
const PHASES = { night: 0.4, day: 0.4 }
const DAY = { night: 0.2, day: 3_600 }
/** Two of eight are of the mafia and see each other by night: their tracks flow on, and only the citizens' consumers stop. */
const TOWN = { players: 8, spectators: 0, streams: [VIDEO_500, AUDIO_40] }

export interface FlipsPlan {
  flips: number
  /** Rooms in which night falls, and rooms in which it is always day. */
  rooms: { flipping: number; others: number }
}

interface Night {
  table: Table
  seq: number
  /** By the monotonic clock. */
  at: number
  /** When the day after it began; null while it lasts. */
  until: number | null
}

const keyOf = (room: string, seq: number): string => `${room} ${seq}`

/** How long after the event, and after the policy came to the node, the last packet arrived that the night forbids. */
export const measureFlips = async ({ ours }: Pick<Servers, 'ours'>, { flips, rooms }: FlipsPlan) => {
  const flipping: Table[] = []
  for (let nth = 0; nth < rooms.flipping; nth++) flipping.push(await seatedTable(ours, TOWN, PHASES))
  const others: Table[] = []
  for (let nth = 0; nth < rooms.others; nth++) others.push(await seatedTable(ours, TOWN, DAY))
  await ours.ask('leased')

  const nights: Night[] = []
  for (const table of flipping)
    table.onPhase = (phase, seq, at) => {
      const monotonicAt = at + monotonicMs() - Date.now()
      const last = nights.findLast((night) => night.table === table)
      if (phase === 'night') nights.push({ table, seq, at: monotonicAt, until: null })
      else if (last !== undefined) last.until = monotonicAt
    }
  const end = speak([...flipping, ...others].flatMap(({ mouths }) => mouths))
  const spread = watchLoop()
  const afterEvent: number[] = []
  const afterLease: number[] = []
  const leases = new Map<string, number>()
  while (afterEvent.length < flips) {
    await sleep(250)
    for (const { room, seq, at } of await ours.ask<Leased[]>('leased'))
      if (!leases.has(keyOf(room, seq))) leases.set(keyOf(room, seq), at)
    for (const night of nights.splice(0)) {
      const leasedAt = leases.get(keyOf(night.table.room, night.seq))
      if (night.until === null || leasedAt === undefined) {
        nights.push(night)
        continue
      }
      const lasts = night.table.citizens.flatMap((ear) => ear.lastBetween(night.at, night.until ?? 0) ?? [])
      afterEvent.push(Math.max(0, ...lasts.map((last) => last - night.at)))
      afterLease.push(Math.max(0, ...lasts.map((last) => last - leasedAt)))
    }
  }
  end()
  const lag = spread()
  const packets = [...flipping, ...others].flatMap(({ ears }) => ears).reduce((total, ear) => total + ear.packets, 0)
  for (const each of [...flipping, ...others]) each.close()
  return {
    afterEvent: Float64Array.from(afterEvent),
    afterLease: Float64Array.from(afterLease),
    packets,
    lag,
  }
}

/** How late the generator's own loop is, ms at the 99th percentile, between this call and the one of what it returns. */
const watchLoop = (): (() => number) => {
  const late: number[] = []
  let due = monotonicMs() + 10
  const timer = setInterval(() => {
    const now = monotonicMs()
    late.push(Math.max(0, now - due))
    due = now + 10
  }, 10)
  return () => {
    clearInterval(timer)
    return percentile(Float64Array.from(late), 0.99)
  }
}

export const flipsText = (
  { afterEvent, afterLease, lag }: Awaited<ReturnType<typeof measureFlips>>,
  { rooms }: FlipsPlan,
): string => {
  const row = (what: string, values: Float64Array) => [
    what,
    fixed(values.length),
    `${fixed(percentile(values, 0.5), 1)} ms`,
    `**${fixed(percentile(values, 0.99), 1)} ms**`,
    `${fixed(values.at(-1) ?? 0, 1)} ms`,
  ]
  return [
    '### Policy flip',
    `${rooms.flipping} rooms of \`mafia\` with eight players each, in which day and night take ${PHASES.day} s, beside ${rooms.others} in which it is always day; everyone sends video (500 kbit/s) and sound (40 kbit/s). ` +
      'From the night’s event (`at`, whole milliseconds, before it is durable), and from its policy’s arrival at the node, until the last forbidden packet came to a citizen, of all citizens of the room, as the receiver’s ' +
      `socket was read; 0 where none came any more. The receivers’ own loop was up to ${fixed(lag, 1)} ms late (p99), which is in these times.`,
    table(
      ['last forbidden packet', 'flips', 'p50', 'p99', 'most'],
      [row('after the event', afterEvent), row('after the policy came to the node', afterLease)],
    ),
    `Aim: p99 at most ${AIM_MS} ms after the event: ${verdict(percentile(afterEvent, 0.99) <= AIM_MS)}.`,
  ].join('\n\n')
}
