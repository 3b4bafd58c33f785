import { fromBase64, toBase64 } from './base64.ts'
import { MalformedFrame, messageOf } from './errors.ts'
import { FRAME_LIMITS } from './frames.ts'
import { assertPlain, isBinary, isWellFormed } from './plain.ts'
import type { Limits } from './scan.ts'
import { encodedSize } from './size.ts'

/**
 * The JSON form of a plain value: binary is `{"$bin": base64}`, and a key that begins with `$` doubles it. Pure.
 * Throws TypeError naming the path of what frames cannot carry.
 */
export function toJson(value: unknown, depth: number = FRAME_LIMITS.depth): unknown {
  assertPlain(value, depth)
  return escaped(value)
}

function escaped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? null
  if (Array.isArray(value)) return value.map(escaped)
  if (isBinary(value)) return { $bin: toBase64(value) }
  const fields: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) fields[key.startsWith('$') ? `$${key}` : key] = escaped(field)
  }
  return fields
}

/** The value of which this is the JSON form. Pure. Throws MalformedFrame where it is none, or breaks a limit of form. */
export function fromJson(value: unknown, depth: number = FRAME_LIMITS.depth): unknown {
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw new MalformedFrame('a string with half of a surrogate pair')
    return value
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new MalformedFrame('a number is not finite')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    if (depth === 0) throw new MalformedFrame('nested too deep')
    return value.map((element) => fromJson(element, depth - 1))
  }
  const entries = Object.entries(value)
  if (entries.length === 1 && entries[0]?.[0] === '$bin') return binary(entries[0][1])
  if (depth === 0) throw new MalformedFrame('nested too deep')
  const fields: Record<string, unknown> = {}
  for (const [key, field] of entries) {
    if (key === '__proto__') throw new MalformedFrame('the key __proto__')
    if (!isWellFormed(key)) throw new MalformedFrame('a key with half of a surrogate pair')
    if (key.startsWith('$') && key[1] !== '$') throw new MalformedFrame(`the key ${key}: double the $`)
    fields[key.startsWith('$') ? key.slice(1) : key] = fromJson(field, depth - 1)
  }
  return fields
}

function binary(value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : null
  if (bytes === null) throw new MalformedFrame('$bin: base64 with padding was expected')
  return bytes
}

/** One frame as JSON text. Pure. Throws TypeError as `toJson` does. */
export const stringifyFrame = (frame: unknown): string => stringify(toJson(frame))

/** Frames as the JSON text of an array. Pure. Throws TypeError as `toJson` does. */
export const stringifyFrames = (frames: readonly unknown[]): string => stringify(frames.map((frame) => toJson(frame)))

/** The value of the frame that a JSON text holds. Pure. Throws MalformedFrame where it breaks a limit of form. */
export const parseJsonFrame = (text: string, limits: Limits = FRAME_LIMITS): unknown => frameOf(parse(text), limits)

/** The values of the frames in a JSON array. Pure. Throws MalformedFrame where there is none, or one breaks a limit of form. */
export function parseJsonFrames(text: string, limits: Limits = FRAME_LIMITS): unknown[] {
  const frames = parse(text)
  if (!Array.isArray(frames)) throw new MalformedFrame('an array of frames was expected')
  return frames.map((frame) => frameOf(frame, limits))
}

function frameOf(json: unknown, limits: Limits): unknown {
  const frame = fromJson(json, limits.depth)
  const size = encodedSize(frame, limits.bytes)
  if (size > limits.bytes) throw new MalformedFrame(`more than ${limits.bytes} bytes`)
  if (!Array.isArray(frame) || !Number.isSafeInteger(frame[0])) {
    throw new MalformedFrame('not an array that begins with an integer')
  }
  return frame
}

// JSON has one kind of number. Digits alone stand for an integer, which must fit 53 bits; what is written with a point or an
// exponent is a float, which may be of any size. Only texts with that many digits in a row need the closer look.
const MANY_DIGITS = /\d{16}/
const INTEGER = /^-?\d+$/

function parse(text: string): unknown {
  try {
    return MANY_DIGITS.test(text) ? JSON.parse(text, refuseWideInteger) : JSON.parse(text)
  } catch (error) {
    if (error instanceof MalformedFrame) throw error
    throw new MalformedFrame(`not JSON: ${messageOf(error)}`)
  }
}

function refuseWideInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  if (context?.source !== undefined && INTEGER.test(context.source)) {
    throw new MalformedFrame('an integer has more than 53 bits')
  }
  return value
}

function stringify(json: unknown): string {
  const text = JSON.stringify(json)
  return MANY_DIGITS.test(text) ? JSON.stringify(json, keepFloats) : text
}

function keepFloats(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  return 'rawJSON' in JSON && typeof JSON.rawJSON === 'function' ? JSON.rawJSON(value.toExponential()) : value
}
