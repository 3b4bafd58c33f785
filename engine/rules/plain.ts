/** A place in a value that is not plain JSON-compatible data. */
interface Flaw {
  readonly path: string[]
  readonly what: string
}

/**
 * Freezes plain data all through, and returns null; or returns what is not plain and where, as `votes.ann is a Map`.
 * What is frozen already is taken as plain: successive states share most of their structure, and only what is new is walked.
 */
export const seal = (value: unknown, name: string): string | null => {
  const flaw = sealing(value)
  return flaw === null ? null : describe(flaw, name)
}

/** Returns what is not plain data and where, or null. Pure: walks it all, frozen or not; finds cycles. */
export const impurity = (value: unknown, name: string): string | null => {
  const flaw = walk(value, [])
  return flaw === null ? null : describe(flaw, name)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** What states hold most of. Asked first and in place: each step of every room comes by here. */
const isNumberOrText = (value: unknown): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string'

const sealing = (value: unknown): Flaw | null => {
  if (!isObject(value)) return simple(value)
  if (Object.isFrozen(value)) return null
  if (Array.isArray(value)) return sealingList(value)
  const what = container(value)
  if (what !== null) return { path: [], what }
  Object.freeze(value)
  // Its own keys: `container` has looked at its prototype. A list of them would be made for each view of each viewer.
  for (const key in value) {
    const part = value[key]
    const flaw = isNumberOrText(part) ? null : sealing(part)
    if (flaw !== null) return within(flaw, key)
  }
  return null
}

/**
 * By index, which is many times faster than by key: a hole reads as undefined. Numbers and text before the freeze: what is
 * frozen takes twice as long to read. The rest after it, so that a list within itself ends.
 */
const sealingList = (list: readonly unknown[]): Flaw | null => {
  let index = 0
  while (index < list.length && isNumberOrText(list[index])) index++
  Object.freeze(list)
  for (; index < list.length; index++) {
    const flaw = sealing(list[index])
    if (flaw !== null) return within(flaw, String(index))
  }
  return null
}

const walk = (value: unknown, above: readonly object[]): Flaw | null => {
  if (typeof value !== 'object' || value === null) return simple(value)
  if (above.includes(value)) return { path: [], what: 'a part of itself' }
  const what = container(value)
  if (what !== null) return { path: [], what }
  if (Object.getOwnPropertySymbols(value).length > 0) return { path: [], what: 'an object with a symbol for a key' }
  for (const [key, part] of Object.entries(value)) {
    const flaw = walk(part, [...above, value])
    if (flaw !== null) return within(flaw, key)
  }
  return null
}

const simple = (value: unknown): Flaw | null => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path: [], what: String(value) }
  if (value === undefined) return { path: [], what: 'undefined (use null, or leave it out)' }
  return { path: [], what: `a ${typeof value}` }
}

/** What an object is besides an array or a plain object, or null. */
const container = (value: object): string | null => {
  if (Array.isArray(value))
    return Object.keys(value).length === value.length ? null : 'an array with holes, or with keys of its own'
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return null
  return `a ${value.constructor?.name || 'class instance'}`
}

const within = (flaw: Flaw, key: string): Flaw => {
  flaw.path.unshift(key)
  return flaw
}

const describe = ({ path, what }: Flaw, name: string): string => `${[name, ...path].join('.')} is ${what}`
