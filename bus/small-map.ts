/**
 * A map for the one entry, or few, that each of very many objects has: nothing is allocated for the first, against some 200
 * bytes of an empty `Map`; a `Map` takes over with the second, until it is empty. Keeps the order of insertion.
 */
export class SmallMap<K, V extends NonNullable<unknown>> {
  #key: K | undefined
  /** Undefined where there is no entry, or more than one. */
  #value: V | undefined
  #many: Map<K, V> | null = null

  get size(): number {
    return this.#many?.size ?? (this.#value === undefined ? 0 : 1)
  }

  get(key: K): V | undefined {
    return this.#many === null ? (this.#key === key ? this.#value : undefined) : this.#many.get(key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  set(key: K, value: V): this {
    if (this.#many !== null) this.#many.set(key, value)
    else if (this.#value === undefined || this.#key === key) {
      this.#key = key
      this.#value = value
    } else {
      this.#many = new Map(this.entries()).set(key, value)
      this.#key = undefined
      this.#value = undefined
    }
    return this
  }

  delete(key: K): boolean {
    const has = this.has(key)
    this.#many?.delete(key)
    if (has && (this.#many === null || this.#many.size === 0)) this.clear()
    return has
  }

  clear(): void {
    this.#key = undefined
    this.#value = undefined
    this.#many = null
  }

  /** A copy: entries may go while it is walked. */
  entries(): [K, V][] {
    if (this.#many !== null) return [...this.#many]
    return this.#key === undefined || this.#value === undefined ? [] : [[this.#key, this.#value]]
  }

  keys(): K[] {
    return this.entries().map(([key]) => key)
  }

  values(): V[] {
    return this.entries().map(([, value]) => value)
  }
}
