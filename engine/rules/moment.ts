/**
 * The moment that is being worked out. One module-level variable: rules are synchronous, so whoever sets it restores
 * it before anyone else can run. `now`, `random` and `deadline` read it.
 */
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { type Deadline, RulesError, type Stamp } from './game.ts'

export type Moment =
  | { readonly in: 'nothing' | 'guard' }
  | { readonly in: 'step'; readonly stamp: Stamp; stream: RandomGenerator | null }
  | { readonly in: 'view'; readonly snapshot: object; readonly deadlines: readonly Deadline[] }

const NOTHING: Moment = { in: 'nothing' }
const GUARD: Moment = { in: 'guard' }
let current: Moment = NOTHING

/** Returns what `run` returns; within it, now() and random() are those of the stamp. */
export const stepping = <T>(stamp: Stamp, run: () => T): T => within({ in: 'step', stamp, stream: null }, run)

/** Returns the moment to restore after a guard. In two halves: guards and views are the hottest path. */
export const enterGuard = (): Moment => {
  const before = current
  current = GUARD
  return before
}

/** The last view: a state is viewed for one viewer after the other. */
let viewed: Moment & { in: 'view' } = { in: 'view', snapshot: {}, deadlines: [] }

/** Returns the moment to restore after a view; until then, deadline() reads this state's timers. */
export const enterView = ({ snapshot, deadlines }: { snapshot: object; deadlines: readonly Deadline[] }): Moment => {
  const before = current
  if (viewed.snapshot !== snapshot || viewed.deadlines !== deadlines) viewed = { in: 'view', snapshot, deadlines }
  current = viewed
  return before
}

export const leave = (before: Moment): void => {
  current = before
}

const within = <T>(moment: Moment, run: () => T): T => {
  const before = current
  current = moment
  try {
    return run()
  } finally {
    current = before
  }
}

/** The step that asks; throws RulesError anywhere else, naming what to use there. */
export const step = (asked: string): Moment & { in: 'step' } => {
  if (current.in === 'step') return current
  if (current.in === 'guard')
    throw new RulesError(
      `${asked} is refused in guards, which may only ask the context and the event: keep the value in the context with an action, or let an \`after\` change the state`,
    )
  if (current.in === 'view')
    throw new RulesError(
      `${asked} is refused in views, media and results, which may only show the state: keep the value in the context with an action; deadline(s, delay) tells when an \`after\` falls due`,
    )
  throw new RulesError(
    `${asked} only works while the machine takes an event: call it in actions, delays and the context function`,
  )
}

/** The view that asks; throws RulesError anywhere else. */
export const view = (asked: string): Moment & { in: 'view' } => {
  if (current.in === 'view') return current
  throw new RulesError(`${asked} only works in everyone, only, media, legal, explain, result, channels and chat`)
}
