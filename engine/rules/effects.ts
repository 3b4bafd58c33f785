import type { ExecutableActionObject } from 'xstate'
import type { GameEvent, PlayerId } from '../../protocol/frames.ts'
import { type Deadline, RulesError } from './game.ts'
import { seal } from './plain.ts'

export interface Emitted {
  readonly event: GameEvent
  readonly to: readonly PlayerId[] | null
}

type Effect = Pick<ExecutableActionObject, 'type' | 'params'>
const paramsOf = (effect: Effect): Readonly<Record<string, unknown>> => ({ ...Object(effect.params) })

/** Returns what the rules emitted, in order; pure. Throws RulesError for an event that cannot be sent. */
export const emitsOf = (effects: readonly Effect[]): Emitted[] =>
  effects.flatMap((effect) => (effect.type === 'xstate.emit' ? [emitted(paramsOf(effect).event)] : []))

const emitted = (value: unknown): Emitted => {
  const { to, ...event }: Record<string, unknown> = { ...Object(value) }
  const { type } = event
  if (typeof type !== 'string' || type === '') throw new RulesError('emit() needs an event with a type')
  const flaw = seal(event, `the event "${type}" that was emitted`)
  if (flaw !== null) throw new RulesError(flaw)
  if (to === undefined) return { event: { ...event, type }, to: null }
  if (!Array.isArray(to) || !to.every((player) => typeof player === 'string'))
    throw new RulesError(
      `emit() of "${type}": \`to\` must be a list of player ids; without it, everyone gets the event`,
    )
  return { event: { ...event, type }, to }
}

export interface Timers {
  readonly deadlines: readonly Deadline[]
  readonly nextOrder: number
}

/** Returns the timers after these effects: a delayed raise sets one, or sets it anew under the same id; a cancel takes it away. Pure. */
export const timersAfter = ({ deadlines, nextOrder }: Timers, effects: readonly Effect[], at: number): Timers => {
  let running = deadlines
  let order = nextOrder
  for (const effect of effects) {
    if (effect.type === 'xstate.cancel') running = without(running, paramsOf(effect).sendId)
    if (effect.type !== 'xstate.raise') continue
    const { id = `raise.${order}`, delay, event } = paramsOf(effect)
    if (typeof id !== 'string') throw new RulesError(`a delayed raise() has an id that is no text: ${String(id)}`)
    if (delay === undefined && !id.startsWith('xstate.after.')) continue
    if (typeof delay !== 'number' || !Number.isFinite(delay))
      throw new RulesError(`timer "${id}" has the delay ${String(delay)}: it must be a number of milliseconds`)
    const type: unknown = Object(event).type
    if (typeof type !== 'string') throw new RulesError(`the delayed raise() "${id}" has an event without a type`)
    const flaw = seal(event, `the event of the delayed raise() "${id}"`)
    if (flaw !== null) throw new RulesError(flaw)
    const due = at + Math.max(0, Math.ceil(delay))
    running = [...without(running, id), { id, due, order, event: { ...Object(event), type } }]
    order += 1
  }
  return { deadlines: running, nextOrder: order }
}

const without = (deadlines: readonly Deadline[], id: unknown): readonly Deadline[] =>
  deadlines.some((timer) => timer.id === id) ? deadlines.filter((timer) => timer.id !== id) : deadlines
