import { MalformedFrame } from './errors.ts'
import { isBinary, UNNAMEABLE } from './plain.ts'

type Container = unknown[] | Record<string, unknown>

/**
 * The document after these ops, sharing with `document` and the ops all that they leave alone. Pure: neither changes.
 * Throws MalformedFrame naming the first op that is malformed or whose path leads nowhere.
 */
export function apply(document: unknown, ops: unknown): unknown {
  if (!Array.isArray(ops)) throw new MalformedFrame('patch: an array of ops was expected')
  // Containers made here may be written to; all others are shared.
  const own = new Set<unknown>()
  let root = document
  for (let i = 0; i < ops.length; i++) {
    try {
      root = applyOp(root, ops[i], own)
    } catch (error) {
      throw error instanceof NoSuchPlace ? new MalformedFrame(`patch op ${i}: ${error.message}`) : error
    }
  }
  return root
}

class NoSuchPlace extends Error {}

function applyOp(root: unknown, op: unknown, own: Set<unknown>): unknown {
  if (!Array.isArray(op) || op.length < 1 || op.length > 2 || !Array.isArray(op[0])) {
    throw new NoSuchPlace('[path, value] or [path] was expected')
  }
  const path: readonly unknown[] = op[0]
  const isSet = op.length === 2
  if (path.length === 0) {
    if (!isSet) throw new NoSuchPlace('the whole document cannot be deleted')
    return op[1] ?? null
  }
  const newRoot = ownCopy(root, own)
  let parent = newRoot
  for (let i = 0; i < path.length - 1; i++) {
    const child = ownCopy(get(parent, path[i]), own)
    put(parent, path[i], child)
    parent = child
  }
  const step = path[path.length - 1]
  if (isSet) put(parent, step, op[1] ?? null)
  else remove(parent, step)
  return newRoot
}

function ownCopy(value: unknown, own: Set<unknown>): Container {
  if (typeof value !== 'object' || value === null || isBinary(value)) {
    throw new NoSuchPlace('the path goes on inside a value that is neither an array nor an object')
  }
  if (own.has(value)) return value as Container
  const copy: Container = Array.isArray(value) ? value.slice() : { ...value }
  own.add(copy)
  return copy
}

function get(parent: Container, step: unknown): unknown {
  if (Array.isArray(parent)) return parent[indexWithin(step, parent.length)]
  const key = keyOf(step)
  if (!Object.hasOwn(parent, key)) throw new NoSuchPlace(`there is no ${JSON.stringify(key)}`)
  return parent[key]
}

function put(parent: Container, step: unknown, value: unknown): void {
  if (Array.isArray(parent)) parent[indexWithin(step, parent.length + 1)] = value
  else parent[keyOf(step)] = value
}

function remove(parent: Container, step: unknown): void {
  if (Array.isArray(parent)) {
    parent.splice(indexWithin(step, parent.length), 1)
    return
  }
  const key = keyOf(step)
  if (!Object.hasOwn(parent, key)) throw new NoSuchPlace(`there is no ${JSON.stringify(key)} to delete`)
  delete parent[key]
}

function indexWithin(step: unknown, end: number): number {
  if (typeof step !== 'number' || !Number.isInteger(step) || step < 0 || step >= end) {
    throw new NoSuchPlace(`${JSON.stringify(step)} is not an index below ${end}`)
  }
  return step
}

function keyOf(step: unknown): string {
  if (typeof step !== 'string') throw new NoSuchPlace(`${JSON.stringify(step)} is not a key of an object`)
  if (UNNAMEABLE.includes(step)) throw new NoSuchPlace(`the key ${step} cannot be named`)
  return step
}
