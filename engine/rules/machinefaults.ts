import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { ROOM_EVENTS } from './types.ts'

/** XState's own actions that a game may use. */
const ACTIONS = new Set([
  'xstate.assign',
  'xstate.raise',
  'xstate.cancel',
  'xstate.emit',
  'xstate.enqueueActions',
  'xstate.log',
])
const NO_CHILDREN =
  'a game has no children (invoke, spawn, fromPromise, sendTo): all that happens must come from a logged event. Use `after` for time, raise() within the machine, emit() to tell the players'

/** What a game's machine may not have, a line each; pure. */
export const machineFaults = (
  head: { readonly moves?: object } | undefined,
  machine: AnyStateMachine,
  face: { readonly result?: unknown } | undefined,
): string[] => {
  if (machine?.root === undefined || machine.implementations === undefined)
    return ['the second argument of defineGame must be a machine: setup({ … }).createMachine({ … })']
  return [
    ...new Set([
      ...childFaults(machine),
      ...nodesOf(machine.root).flatMap((node) => [...nodeFaults(machine, node)]),
      ...eventFaults(machine, Object.keys(head?.moves ?? {})),
      ...endFaults(machine, face?.result !== undefined),
    ]),
  ]
}

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(nodesOf)]
const at = (node: AnyStateNode): string => (node.path.length === 0 ? 'the machine' : `state "${node.path.join('.')}"`)

function* childFaults(machine: AnyStateMachine): Generator<string> {
  for (const name of Object.keys(machine.implementations.actors)) yield `actor "${name}" in setup: ${NO_CHILDREN}`
  for (const [name, action] of Object.entries(machine.implementations.actions))
    yield* actionFaults(machine, action, `action "${name}"`)
}

function* nodeFaults(machine: AnyStateMachine, node: AnyStateNode): Generator<string> {
  if (node.invoke.length > 0) yield `invoke at ${at(node)}: ${NO_CHILDREN}`
  for (const { delay } of node.after)
    if (typeof delay === 'string' && !Object.hasOwn(machine.implementations.delays, delay))
      yield `${at(node)} waits for delay "${delay}", which setup({ delays }) does not have`
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])]
  const actions = [...node.entry, ...node.exit, ...transitions.flatMap((transition) => transition.actions)]
  if (node.type === 'compound') actions.push(...node.initial.actions)
  for (const action of actions) yield* actionFaults(machine, action, `an action of ${at(node)}`)
  for (const { guard } of transitions) yield* guardFaults(machine, guard, at(node))
}

function* actionFaults(machine: AnyStateMachine, action: unknown, where: string): Generator<string> {
  const name = nameOf(action)
  if (name !== undefined) {
    if (!Object.hasOwn(machine.implementations.actions, name))
      yield `${where} is named "${name}", which setup({ actions }) does not have`
    return
  }
  if (typeof action !== 'function') return
  if (!('type' in action && typeof action.type === 'string' && 'resolve' in action))
    yield `${where} is a plain function${action.name ? ` (${action.name})` : ''}, which would never run: use assign(), emit(), raise(), enqueueActions() or log()`
  else if (!ACTIONS.has(action.type)) yield `${where} is ${action.type.replace('xstate.', '')}: ${NO_CHILDREN}`
}

function* guardFaults(machine: AnyStateMachine, guard: unknown, where: string): Generator<string> {
  const name = nameOf(guard)
  if (name !== undefined && !Object.hasOwn(machine.implementations.guards, name))
    yield `a guard of ${where} is named "${name}", which setup({ guards }) does not have`
  if (typeof guard === 'function' && 'guards' in guard && Array.isArray(guard.guards))
    for (const part of guard.guards) yield* guardFaults(machine, part, where)
}

const nameOf = (reference: unknown): string | undefined => {
  if (typeof reference === 'string') return reference
  if (typeof reference !== 'object' || reference === null || !('type' in reference)) return undefined
  return typeof reference.type === 'string' ? reference.type : undefined
}

/** Events under `on` that can never come. */
function* eventFaults(machine: AnyStateMachine, moves: readonly string[]): Generator<string> {
  const raised = raisedIn(machine)
  if (raised === 'unknown') return
  const known = [...moves, ...ROOM_EVENTS, ...raised]
  for (const node of nodesOf(machine.root))
    for (const event of Object.keys(node.config.on ?? {})) {
      const prefix = event.endsWith('*') ? event.slice(0, -1) : undefined
      if (prefix === undefined ? known.includes(event) : known.some((name) => name.startsWith(prefix))) continue
      yield `${at(node)} waits for "${event}", which is no move, no event of the room, and never raised: the moves are ${moves.join(', ')}`
    }
}

/** The events that the machine raises itself, or 'unknown' where that is worked out as it runs. */
const raisedIn = (machine: AnyStateMachine): readonly string[] | 'unknown' => {
  const raised: string[] = []
  const nodes = nodesOf(machine.root)
  const actions: unknown[] = [
    ...Object.values(machine.implementations.actions),
    ...nodes.flatMap((node) => [...node.entry, ...node.exit, ...(node.always ?? []).flatMap((one) => one.actions)]),
    ...nodes.flatMap((node) => [...node.transitions.values()].flat().flatMap((one) => one.actions)),
  ]
  for (const action of actions) {
    if (typeof action !== 'function' || !('type' in action)) continue
    if (action.type === 'xstate.enqueueActions') return 'unknown'
    if (action.type !== 'xstate.raise' || !('event' in action)) continue
    const type = nameOf(action.event)
    if (type === undefined) return 'unknown'
    raised.push(type)
  }
  return raised
}

function* endFaults(machine: AnyStateMachine, hasResult: boolean): Generator<string> {
  if (hasResult && !canEnd(machine.root))
    yield 'result is there, but the machine never ends: give it a state with `type: "final"` at its top'
}

/** Whether a node can be in its final state; pure. */
const canEnd = (node: AnyStateNode): boolean => {
  const children = Object.values(node.states)
  if (node.type === 'parallel')
    return children.length > 0 && children.every((child) => child.type === 'history' || canEnd(child))
  return children.some((child) => child.type === 'final')
}
