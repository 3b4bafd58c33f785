import type { PatchOp, PathStep, Seq } from './frames.ts'
import { type Fields, isBinary, isFields, UNNAMEABLE } from './plain.ts'
import { encodedSize, headerSize } from './size.ts'

export { apply } from './apply.ts'

/**
 * The ops that turn `before` into `after`, both plain data: empty where they are equal. Pure. Looks at nothing that both share
 * by reference, and sets a parent where that is shorter encoded than the ops inside it.
 * With a `prefix` the paths lead to the two values from there.
 */
export function diff(before: unknown, after: unknown, prefix: readonly PathStep[] = []): PatchOp[] {
  const walk = startWalk(prefix)
  differ(walk, before ?? null, after ?? null)
  return walk.ops
}

/** As `diff`, for two objects of which other parts of the document share the place: sets and deletes their keys, never all. Pure. */
export function diffKeys(before: Fields, after: Fields, prefix: readonly PathStep[] = []): PatchOp[] {
  const walk = startWalk(prefix)
  if (differFields(walk, before, after) === Number.POSITIVE_INFINITY) {
    throw new TypeError(`no patch can name the keys ${UNNAMEABLE.join(', ')}: these objects differ there`)
  }
  return walk.ops
}

/** Bytes that the list of ops takes in a frame. Pure. */
export const opsSize = (ops: readonly PatchOp[]): number => encodedSize(ops)

/** Whether a PATCH of these ops is no larger than the STATE of this document. Pure. */
export function isPatchShorter(ops: readonly PatchOp[], from: Seq, document: unknown): boolean {
  const size = encodedSize(from) + opsSize(ops)
  return size <= encodedSize(document, size)
}

interface Walk {
  readonly ops: PatchOp[]
  readonly path: PathStep[]
  /** Bytes of the path's steps. */
  steps: number
}

function startWalk(prefix: readonly PathStep[]): Walk {
  let steps = 0
  for (const step of prefix) steps += encodedSize(step)
  return { ops: [], path: [...prefix], steps }
}

/** Bytes of an op at the walk's path without its value. */
const opSize = (walk: Walk): number => 1 + headerSize(walk.path.length) + walk.steps

/** Appends the ops for what differs at the walk's path; returns their bytes. */
function differ(walk: Walk, before: unknown, after: unknown): number {
  if (before === after) return 0
  const first = walk.ops.length
  let size: number
  if (Array.isArray(before) && Array.isArray(after)) size = differElements(walk, before, after)
  else if (isFields(before) && isFields(after)) size = differFields(walk, before, after)
  else return isBinary(before) && isBinary(after) && sameBytes(before, after) ? 0 : set(walk, after)
  const around = opSize(walk)
  if (size <= around || around + encodedSize(after, size - around) >= size) return size
  walk.ops.length = first
  return set(walk, after)
}

function set(walk: Walk, after: unknown): number {
  walk.ops.push([walk.path.slice(), after])
  return opSize(walk) + encodedSize(after)
}

function differElements(walk: Walk, before: readonly unknown[], after: readonly unknown[]): number {
  const common = Math.min(before.length, after.length)
  let size = 0
  for (let i = 0; i < common; i++) size += enter(walk, i, before[i] ?? null, after[i] ?? null)
  for (let i = common; i < after.length; i++) size += enter(walk, i, undefined, after[i] ?? null)
  for (let i = before.length - 1; i >= common; i--) size += enter(walk, i, null, undefined)
  return size
}

function differFields(walk: Walk, before: Fields, after: Fields): number {
  let size = 0
  // Plain data has no other keys than its own: no lists of them are made.
  for (const key in after) {
    const value = after[key]
    if (value !== undefined) size += enter(walk, key, Object.hasOwn(before, key) ? before[key] : undefined, value)
  }
  for (const key in before) {
    if (before[key] === undefined) continue
    if (!Object.hasOwn(after, key) || after[key] === undefined) size += enter(walk, key, null, undefined)
  }
  return size
}

/** Walks one step down; undefined stands for absent. What differs at a key that no path may name costs infinitely much. */
function enter(walk: Walk, step: PathStep, before: unknown, after: unknown): number {
  if (before === after) return 0
  const stepSize = encodedSize(step)
  walk.path.push(step)
  walk.steps += stepSize
  let size: number
  if (after === undefined) {
    walk.ops.push([walk.path.slice()])
    size = opSize(walk)
  } else size = before === undefined ? set(walk, after) : differ(walk, before, after)
  walk.path.pop()
  walk.steps -= stepSize
  return size > 0 && typeof step === 'string' && UNNAMEABLE.includes(step) ? Number.POSITIVE_INFINITY : size
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
