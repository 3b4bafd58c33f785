/** Whether this is binary data as the protocol carries it; true for a Uint8Array of another realm too. */
export const isBinary = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array ||
  (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]')

export type Fields = Readonly<Record<string, unknown>>

/** Whether this is a map as the protocol carries it: neither an array nor binary. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isBinary(value)

/** Whether this is an object literal (of any realm), not an instance of a class. */
export function isPlainObject(value: object): value is Fields {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

const hasIsWellFormed = 'isWellFormed' in String.prototype
const HALF_OF_PAIR = /[\uD800-\uDFFF]/u

/** Whether the text has no half of a surrogate pair, so that UTF-8 can carry it; also on engines without `isWellFormed`. */
export const isWellFormed = (text: string): boolean =>
  hasIsWellFormed ? text.isWellFormed() : !HALF_OF_PAIR.test(text)

interface Flaw {
  reason: string
  path: (string | number)[]
}

/**
 * Returns when frames can carry this value: null, booleans, finite numbers, well-formed strings, Uint8Arrays, and arrays and
 * plain objects of these, nested at most `depth` deep. Undefined counts as null, and as absent in an object.
 * Throws TypeError naming the path and what is wrong there otherwise. Pure.
 */
export function assertPlain(value: unknown, depth: number): void {
  const flaw = flawOf(value, depth)
  if (flaw === null) return
  const path = flaw.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  throw new TypeError(`cannot encode ${path === '' ? 'the value' : path.replace(/^\./, '')}: ${flaw.reason}`)
}

function flawOf(value: unknown, depth: number): Flaw | null {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? null : flawed('half of a surrogate pair; cut strings by code point')
    case 'number':
      return Number.isFinite(value) ? null : flawed(`${value} is not a finite number`)
    case 'boolean':
    case 'undefined':
      return null
    case 'object':
      break
    default:
      return flawed(`a ${typeof value}`)
  }
  if (value === null || value instanceof Uint8Array) return null
  if (Array.isArray(value)) {
    if (depth === 0) return flawed('nested too deep, or a cycle')
    for (let i = 0; i < value.length; i++) {
      const flaw = flawOf(value[i], depth - 1)
      if (flaw !== null) return inside(i, flaw)
    }
    return null
  }
  if (isBinary(value)) return null
  if (!isFields(value) || !isPlainObject(value))
    return flawed(`${Object.prototype.toString.call(value)} is not plain data`)
  if (depth === 0) return flawed('nested too deep, or a cycle')
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return flawed('the key __proto__')
    if (!isWellFormed(key)) return flawed('a key with half of a surrogate pair')
    const flaw = flawOf(value[key], depth - 1)
    if (flaw !== null) return inside(key, flaw)
  }
  return null
}

const flawed = (reason: string): Flaw => ({ reason, path: [] })
const inside = (step: string | number, flaw: Flaw): Flaw => {
  flaw.path.unshift(step)
  return flaw
}

/** Keys that no path of a patch may name: where one differs, the object around it is set. */
export const UNNAMEABLE: readonly string[] = ['__proto__', 'constructor', 'prototype']
