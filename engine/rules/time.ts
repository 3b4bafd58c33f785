import type { AnyMachineSnapshot } from 'xstate'
import { RulesError } from './game.ts'
import { step, view } from './moment.ts'

/** Returns the time of the event that is being taken, in ms since the epoch; throws RulesError outside a step. */
export const now = (): number => step('now()').stamp.at

/**
 * Returns when a running timer of this state falls due, in ms since the epoch, or null where none runs.
 * `delay` is the name or the number of ms under `after` (of several, the earliest), or the id of a delayed raise.
 * Throws RulesError outside a view.
 */
export const deadline = (s: AnyMachineSnapshot, delay: string | number): number | null => {
  const { snapshot, deadlines } = view('deadline()')
  if (snapshot !== s) throw new RulesError('deadline() takes the state that the view was given')
  let due: number | null = null
  for (const timer of deadlines) {
    const asked =
      timer.id === delay || s._nodes.some((node: { id: string }) => timer.id === `xstate.after.${delay}.${node.id}`)
    if (asked && (due === null || timer.due < due)) due = timer.due
  }
  return due
}
