import { type PlainRulesState, RulesError, type RulesState } from './game.ts'
import { type Machine, type PlainMachine, threw } from './machine.ts'
import { impurity } from './plain.ts'
import type { AnyGame } from './types.ts'

/** Returns the state as plain data; pure. Throws RulesError naming the path of what is not. */
export const toPlain = (id: string, machine: Machine, state: RulesState): PlainRulesState => {
  const { context, output = null, ...rest } = machine.dehydrate(state.snapshot)
  const flaw = impurity(context, 'context') ?? impurity(output, 'output')
  if (flaw !== null) throw new RulesError(`${id}: ${flaw}: a state is kept as plain data`)
  return {
    snapshot: { ...rest, context, ...(output === null ? {} : { output }) },
    deadlines: [...state.deadlines],
    nextOrder: state.nextOrder,
  }
}

/** Returns the state that goes on as the stored one would have; throws RulesError where these rules cannot read it. */
export const fromPlain = (id: string, machine: Machine, plain: PlainRulesState): RulesState => ({
  snapshot: machine.hydrate(plainMachine(id, plain.snapshot)),
  deadlines: plain.deadlines,
  nextOrder: plain.nextOrder,
})

/** Returns the stored state of an older version under this one, by the game's `migrate`, or null where it has none for that version. */
export const migrated = (
  { id, migrate = {} }: AnyGame,
  machine: Machine,
  from: number,
  plain: PlainRulesState,
): PlainRulesState | null => {
  const carry = Object.hasOwn(migrate, from) ? migrate[from] : undefined
  if (carry === undefined) return null
  const { nodes: _, history, ...old } = plainMachine(id, plain.snapshot)
  try {
    const snapshot = { ...carry(old), nodes: [], history }
    // Through the machine and back: the state must exist in this version, and its nodes get their ids.
    return toPlain(id, machine, fromPlain(id, machine, { ...plain, snapshot }))
  } catch (error) {
    throw threw(`${id}: migrate from version ${from}`, error)
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isIds = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((part) => typeof part === 'string')
const isHistory = (value: unknown): value is Record<string, string[]> =>
  isRecord(value) && Object.values(value).every(isIds)

const plainMachine = (id: string, stored: unknown): PlainMachine => {
  const { status, value, context, output, nodes, history } = isRecord(stored) ? stored : {}
  if ((status === 'active' || status === 'done') && isRecord(context) && isIds(nodes) && isHistory(history))
    return { status, value, context, ...(output === undefined ? {} : { output }), nodes, history }
  throw new RulesError(`${id}: a stored state is not as toPlain wrote it`)
}
