import type { PlayerId, RoomId, Seq } from '../../../protocol/frames.ts'
import { OP } from '../../../protocol/frames.ts'
import type { Flow, FlowTap, SimMediaNode } from '../medianode.ts'
import type { Timeline } from '../timeline.ts'
import type { World } from '../world.ts'
import type { RoomPast } from './past.ts'
import type { WireFrame } from './wire.ts'

/** A node forwards so long what the rules have forbidden, at most: it had beaten before the last lease that granted it was given. */
const LEASE_MS = 5_000

interface Interval {
  readonly flow: Flow
  readonly from: number
  to: number
}

/** All that flowed, from when to when. */
export class Flows implements FlowTap {
  readonly intervals: Interval[] = []
  readonly #open = new Map<Flow, Interval>()
  readonly #timeline: Timeline

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  began(flow: Flow): void {
    const { now } = this.#timeline
    const interval = { flow, from: now, to: Number.POSITIVE_INFINITY }
    this.intervals.push(interval)
    this.#open.set(flow, interval)
    this.#timeline.note(flow.room, `${flow.node} forwards ${nameOf(flow)}`)
  }

  /** A node goes on: what flowed when it was paused flows again, until it looks. */
  resumed({ flows }: SimMediaNode): void {
    for (const flow of flows) this.began(flow)
  }

  ended(flow: Flow): void {
    const open = this.#open.get(flow)
    if (open === undefined) return
    open.to = this.#timeline.now
    this.#open.delete(flow)
    this.#timeline.note(flow.room, `${flow.node} stops ${nameOf(flow)}`)
  }
}

/**
 * P4 for what is seen and heard: nothing flows that the rules forbid for the newest state that anybody was shown, and for each that is
 * durable since, but for as long as a lease lasts.
 */
export const checkForwarded = ({ wire, store, flows, ground }: World, pasts: ReadonlyMap<RoomId, RoomPast>): void => {
  const { timeline } = ground
  const shown = shownIn(wire)
  const steps = new Map<RoomId, Step[]>()
  for (const { flow, from, to } of flows.intervals) {
    timeline.count('flows')
    const past = pasts.get(flow.room)
    const all = steps.get(flow.room) ?? stepsOf(shown.get(flow.room) ?? [], store.landings.get(flow.room) ?? [])
    steps.set(flow.room, all)
    if (past === undefined) continue
    let forbiddenAt: number | null = null
    for (const [i, { at, shown, durable }] of all.entries()) {
      if (at >= to) break
      if (mayFlowIn(past, shown, durable, flow)) forbiddenAt = null
      else forbiddenAt ??= at
      const end = Math.min(to, all[i + 1]?.at ?? Number.POSITIVE_INFINITY, timeline.now)
      if (forbiddenAt === null || end <= from) continue
      if (end - forbiddenAt <= LEASE_MS) continue
      timeline.fail(
        'P4',
        flow.room,
        `${flow.node} forwards ${nameOf(flow)} from ${from} to ${to} ms; the rules forbid it in all that was shown since ${forbiddenAt} ms, as in event ${shown}`,
        Math.max(from, forbiddenAt + LEASE_MS),
      )
      break
    }
  }
}

/** From then on this is the newest event that anybody was shown, and this the newest that is durable. */
interface Step {
  readonly at: number
  readonly shown: Seq
  readonly durable: Seq
}

type Since = { readonly at: number; readonly seq: Seq }[]

const stepsOf = (shown: Since, durable: Since): Step[] => {
  const times = [...new Set([...shown, ...durable].map(({ at }) => at))].sort((a, b) => a - b)
  const newest = (since: Since, at: number) => since.findLast((step) => step.at <= at)?.seq ?? 0
  return times.map((at) => ({ at, shown: newest(shown, at), durable: newest(durable, at) }))
}

/** By room: when which event became the newest that anybody was shown. */
const shownIn = (wire: readonly WireFrame[]): Map<RoomId, { at: number; seq: Seq }[]> => {
  const shown = new Map<RoomId, { at: number; seq: Seq }[]>()
  for (const { at, up, frame } of wire) {
    const [op, room, third, fourth] = frame
    const seq = op === OP.patch ? fourth : op === OP.state ? third : null
    if (up || typeof room !== 'string' || typeof seq !== 'number') continue
    const steps = shown.get(room) ?? []
    shown.set(room, steps)
    if (seq > (steps.at(-1)?.seq ?? 0)) steps.push({ at, seq })
  }
  return shown
}

const mayFlowIn = (past: RoomPast, from: Seq, to: Seq, flow: Flow): boolean => {
  for (let seq = Math.max(from, 1); seq <= Math.max(to, from); seq++) if (mayFlow(past, seq, flow)) return true
  return false
}

/** Whether the rules let this viewer receive this of that player. */
const mayFlow = (past: RoomPast, seq: Seq, { viewer, player, kind }: Flow): boolean => {
  const state = past.at(seq)?.state
  if (state === undefined) return false
  const { runner } = past
  const isIn = (who: PlayerId) =>
    state.players.includes(who) && !state.gone.includes(who) && !state.kicked.includes(who)
  const who = viewer.role === 'player' ? viewer.player : null
  if (!isIn(player) || player === viewer.player || (who !== null && !isIn(who))) return false
  const seen =
    state.rules === null ? runner.lobbyMedia : runner.media(state.rules, who)[kind === 'video' ? 'see' : 'hear']
  return seen === 'all' || (seen !== 'none' && seen.includes(player))
}

const nameOf = ({ viewer, player, kind }: Flow): string => `${kind} of ${player} to ${viewer.player} (${viewer.role})`
