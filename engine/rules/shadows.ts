import { RulesError } from './game.ts'

const TIME = "use now() from madang/rules for the time of the event, and XState's `after` to wait"
const CHANCE = 'use random(), shuffle(), pick() or dice() from madang/rules, which a replay repeats'
const OUTSIDE = 'rules know only their events and options: put what they need into a move or an option'

/** Functions that rules may not call, and what to use. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  setTimeout: TIME,
  setInterval: TIME,
  setImmediate: TIME,
  queueMicrotask: TIME,
  clearTimeout: TIME,
  clearInterval: TIME,
  clearImmediate: TIME,
  requestAnimationFrame: TIME,
  fetch: OUTSIDE,
  WebSocket: OUTSIDE,
  EventSource: OUTSIDE,
  XMLHttpRequest: OUTSIDE,
  Worker: OUTSIDE,
  BroadcastChannel: OUTSIDE,
}
/** Objects that rules may not use. */
const OBJECTS: Readonly<Record<string, string>> = {
  performance: TIME,
  crypto: CHANCE,
  process: OUTSIDE,
  Buffer: OUTSIDE,
  localStorage: OUTSIDE,
  sessionStorage: OUTSIDE,
}

const refuse = (asked: string, instead: string): never => {
  throw new RulesError(`${asked} is refused in rules: ${instead}`)
}

/**
 * Returns the globals that a game sees in place of the real ones, by name; pure. They keep an author from mistakes that
 * would break replay. They are no sandbox: rules are as trusted as the engine's own code.
 */
export const shadows = (): Readonly<Record<string, unknown>> => {
  const hidden: Record<string, unknown> = { Date: shadowDate(), Math: shadowMath(), navigator: undefined }
  for (const [name, instead] of Object.entries(FUNCTIONS))
    hidden[name] = function refused() {
      refuse(`${name}()`, instead)
    }
  for (const [name, instead] of Object.entries(OBJECTS))
    hidden[name] = new Proxy(
      {},
      // Schema libraries look into process.env for hints, and take an empty one.
      { get: (_, key) => (key === 'env' ? {} : refuse(`${name}.${String(key)}`, instead)) },
    )
  const everything: object = Object.create(globalThis, Object.getOwnPropertyDescriptors(hidden))
  for (const name of ['globalThis', 'global', 'self']) hidden[name] = everything
  return hidden
}

const shadowDate = (): object =>
  new Proxy(Date, {
    apply: () => refuse('Date()', TIME),
    construct: (target, args, newTarget) => {
      if (args.length === 0) refuse('new Date() without a time', TIME)
      return Reflect.construct(target, args, newTarget)
    },
    get: (target, key) => (key === 'now' ? () => refuse('Date.now()', TIME) : Reflect.get(target, key)),
  })

const shadowMath = (): object =>
  Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(Math), random: { value: () => refuse('Math.random()', CHANCE) } },
  )
