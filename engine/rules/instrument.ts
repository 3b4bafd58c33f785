import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { enterGuard, leave } from './moment.ts'

/** The first function of the rules that threw in a step: XState wraps or loses what it catches. */
export interface Probe {
  fault: { readonly part: string; readonly error: unknown } | null
}

/** Microsteps in one step, after which a cycle of `always` or raise() counts as endless. */
const MAX_MICROSTEPS = 1000

type Callable = (...args: unknown[]) => unknown
const isCallable = (value: unknown): value is Callable => typeof value === 'function'

/** Returns a copy of the machine whose guards, actions and delays tell the probe when they throw, and whose guards know that they are guards. */
export const instrument = (machine: AnyStateMachine, probe: Probe): AnyStateMachine => {
  const { actions, guards, delays } = machine.implementations
  const copy: AnyStateMachine = machine.provide({
    actions: map(actions, (action, name) => watchAction(action, `action "${name}"`, probe)),
    guards: map(guards, (guard, name) => watchGuard(guard, `guard "${name}"`, probe)),
    delays: map(delays, (delay, name) => (isCallable(delay) ? watch(delay, `delay "${name}"`, probe) : delay)),
  })
  copy.options = {
    ...copy.options,
    maxIterations: Math.min(copy.options.maxIterations ?? MAX_MICROSTEPS, MAX_MICROSTEPS),
  }
  watchNode(copy.root, probe)
  return copy
}

const map = <T>(
  parts: Readonly<Record<string, T>>,
  change: (part: T, name: string) => unknown,
): Record<string, never> =>
  // XState's types of implementations cannot be built up from outside: its boundary.
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part, name)])) as Record<string, never>

/** Changes the node's own copies of its transitions and actions in place: `provide` made them anew, the config is shared. */
const watchNode = (node: AnyStateNode, probe: Probe): void => {
  const place = node.path.length === 0 ? 'the machine' : `state "${node.path.join('.')}"`
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])]
  const lists = [node.entry, node.exit, ...transitions.map((transition) => transition.actions)]
  if (node.type === 'compound') lists.push(node.initial.actions)
  for (const list of lists)
    for (const [index, action] of list.entries())
      Reflect.set(list, index, watchAction(action, `an action of ${place}`, probe))
  for (const transition of transitions)
    Reflect.set(transition, 'guard', watchGuard(transition.guard, `a guard of ${place}`, probe))
  for (const child of Object.values(node.states)) watchNode(child, probe)
}

const watchAction = (action: unknown, part: string, probe: Probe): unknown => {
  if (!isCallable(action)) return watchParams(action, part, probe)
  const resolve: unknown = Reflect.get(action, 'resolve')
  if (!isCallable(resolve)) return action
  return Object.assign(() => undefined, action, { resolve: watch(resolve, part, probe) })
}

const watchGuard = (guard: unknown, part: string, probe: Probe): unknown => {
  if (!isCallable(guard)) return watchParams(guard, part, probe)
  if ('check' in guard) {
    const parts: unknown = Reflect.get(guard, 'guards')
    if (!Array.isArray(parts)) return guard
    return Object.assign(() => false, guard, { guards: parts.map((one) => watchGuard(one, part, probe)) })
  }
  const test = watch(guard, part, probe)
  return (args: unknown, params: unknown) => {
    const before = enterGuard()
    try {
      return test(args, params)
    } finally {
      leave(before)
    }
  }
}

/** `{ type, params: ({ context }) => … }`, the reference with parameters. */
const watchParams = (reference: unknown, part: string, probe: Probe): unknown => {
  if (typeof reference !== 'object' || reference === null || !('params' in reference)) return reference
  const { params } = reference
  return isCallable(params) ? { ...reference, params: watch(params, `the params of ${part}`, probe) } : reference
}

const watch =
  (f: Callable, part: string, probe: Probe): Callable =>
  (...args) => {
    try {
      return f(...args)
    } catch (error) {
      probe.fault ??= { part, error }
      throw error
    }
  }
