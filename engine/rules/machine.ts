/**
 * The one place that runs XState's internals (5.33.3): `machine.transition` with one reused scope whose actionExecutor
 * collects the effects. The public `transition()` builds an actor per call; a property test holds the two equal.
 */
import {
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type ExecutableActionObject,
  isMachineSnapshot,
  type Snapshot,
  type StateValue,
} from 'xstate'
import { messageOf } from '../../protocol/errors.ts'
import { RulesError, type Stamp } from './game.ts'
import { instrument, type Probe } from './instrument.ts'
import { stepping } from './moment.ts'
import { seal } from './plain.ts'

export interface Transition {
  readonly snapshot: AnyMachineSnapshot
  readonly effects: readonly ExecutableActionObject[]
}
/** A machine's snapshot as plain data; the order of its nodes is that in which parallel regions act. */
export type PlainMachine = {
  status: 'active' | 'done'
  value: unknown
  context: unknown
  output?: unknown
  nodes: string[]
  history: Record<string, string[]>
}

export interface Machine {
  initial(input: object, stamp: Stamp): Transition
  transition(from: object, event: { readonly type: string }, stamp: Stamp): Transition
  /** The snapshot as XState's; throws RulesError for anything else. */
  snapshot(value: object): AnyMachineSnapshot
  dehydrate(snapshot: object): PlainMachine
  hydrate(plain: PlainMachine): object
}

const NO_ACTORS =
  'a game has no actors: self, system and spawn are not there. Use raise() within the machine, `after` for time, emit() to tell the players'
const refuse = (): never => {
  throw new RulesError(NO_ACTORS)
}

/** Returns the machine as pure functions of snapshots; what the rules throw comes out as RulesError, the author's error as its cause. */
export const pureMachine = (id: string, author: AnyStateMachine): Machine => {
  const probe: Probe = { fault: null }
  const machine = instrument(author, probe)
  const collect: { actionExecutor: (effect: ExecutableActionObject) => void } = { actionExecutor: () => {} }
  const scope = Object.assign(collect, {
    self: new Proxy({}, { get: refuse }),
    system: new Proxy(
      { _sendInspectionEvent: () => {} },
      { get: (target, key) => Reflect.get(target, key) ?? refuse() },
    ),
    id: '',
    sessionId: '',
    logger: () => {},
    defer: refuse,
    emit: () => {},
    stopChild: refuse,
    // No actor stands behind it, and none is missed: everything that would need one is refused.
  }) as unknown as AnyActorScope

  const collected = (
    doing: string,
    from: AnyMachineSnapshot | null,
    stamp: Stamp,
    act: () => AnyMachineSnapshot,
  ): Transition => {
    const effects: ExecutableActionObject[] = []
    collect.actionExecutor = (effect) => {
      if (!effect.type.startsWith('xstate.'))
        throw new RulesError(
          `"${effect.type}" is a plain function, which would never run: use assign(), emit(), raise() or log()`,
        )
      effects.push(effect)
    }
    try {
      const snapshot = stepping(stamp, act)
      if (snapshot.status === 'error') throw snapshot.error
      return { snapshot, effects }
    } catch (error) {
      const fault = probe.fault ?? { part: doing, error }
      const place = from === null ? '' : ` at state "${placeOf(from.value)}"`
      throw threw(`${id}: ${fault.part} threw${place}`, fault.error)
    } finally {
      collect.actionExecutor = () => {}
      probe.fault = null
    }
  }

  const known = (value: object): AnyMachineSnapshot => {
    if (isMachineSnapshot(value) && value.machine === machine) return value
    throw new RulesError(
      `${id}: this is no state of these rules; one that was stored, or of another runner, must go through toPlain and fromPlain`,
    )
  }

  return {
    initial: (input, stamp) => collected('the start', null, stamp, () => machine.getInitialSnapshot(scope, input)),
    transition: (from, event, stamp) => {
      const snapshot = known(from)
      return collected(`the event "${event.type}"`, snapshot, stamp, () => machine.transition(snapshot, event, scope))
    },
    snapshot: known,
    dehydrate: (state) => {
      const { status, value, context, output, _nodes, historyValue } = known(state)
      const idsOf = (nodes: readonly { id: string }[]): string[] => nodes.map((node) => node.id)
      return {
        status: status === 'done' ? 'done' : 'active',
        value,
        context,
        ...(output === undefined ? {} : { output }),
        nodes: idsOf(_nodes),
        history: Object.fromEntries(Object.entries(historyValue).map(([key, nodes]) => [key, idsOf(nodes ?? [])])),
      }
    },
    hydrate: (plain) => {
      const flaw = seal(plain.context, 'context')
      if (flaw !== null) throw new RulesError(`${id}: a stored state cannot be read: ${flaw}`)
      try {
        return restored(machine, scope, plain)
      } catch (error) {
        throw threw(`${id}: a stored state does not fit these rules`, error)
      }
    },
  }
}

const restored = (machine: AnyStateMachine, scope: AnyActorScope, plain: PlainMachine): AnyMachineSnapshot => {
  const historyValue = Object.fromEntries(
    Object.entries(plain.history).map(([key, ids]) => [key, ids.map((nodeId) => ({ id: nodeId }))]),
  )
  const { status, value, context, output } = plain
  const stored: Snapshot<unknown> & object = Object.assign(
    status === 'done' ? { status, output, error: undefined } : { status, output: undefined, error: undefined },
    { value, context, children: {}, historyValue },
  )
  const snapshot: AnyMachineSnapshot = machine.restoreSnapshot(stored, scope)
  // restoreSnapshot puts the nodes in document order; parallel regions act in the order in which they were entered.
  const places = new Map(plain.nodes.map((nodeId, place) => [nodeId, place]))
  if (!snapshot._nodes.every((node: { id: string }) => places.has(node.id))) return snapshot
  snapshot._nodes.sort((a: { id: string }, b: { id: string }) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0))
  return Object.assign(snapshot, { value })
}

/** `night`, `day.talk`, `a.on+b.off`: a state's value in one word. */
const placeOf = (value: StateValue): string =>
  typeof value === 'string'
    ? value
    : Object.entries(value)
        .map(([key, part]) => (part === undefined ? key : `${key}.${placeOf(part)}`))
        .join('+')

/** The RulesError for what the rules threw: where, the author's own words, and their error as its cause. */
export const threw = (where: string, error: unknown): RulesError =>
  new RulesError(`${where}: ${messageOf(error)}`, { cause: error })
