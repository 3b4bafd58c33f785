type Place = { [key: string | number]: unknown } | unknown[]

const isPlace = (value: unknown): value is Place => typeof value === 'object' && value !== null

/** The document after these ops, as protocol.md says it, in the plainest way: a copy that is written to. Throws where an op leads nowhere. */
export const patched = (document: unknown, ops: unknown): unknown => {
  let root: unknown = structuredClone(document)
  for (const op of Array.isArray(ops) ? ops : []) {
    const [path, ...value]: [(string | number)[], unknown?] = op
    const step = path.at(-1)
    if (step === undefined) {
      root = value[0]
      continue
    }
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((place, key) => (isPlace(place) ? Reflect.get(place, key) : undefined), root)
    if (!isPlace(parent)) throw new Error(`no such place: ${path.join('.')}`)
    if (value.length > 0) Reflect.set(parent, step, value[0] ?? null)
    else if (Array.isArray(parent)) parent.splice(Number(step), 1)
    else Reflect.deleteProperty(parent, step)
  }
  return root
}
