/**
 * A map for the few entries that each of very many objects has: nothing is allocated while it is empty, and one array of keys
 * and values while it is not, against some 200 bytes of an empty `Map`. Keeps the order of insertion; looks keys up one by one.
 */
export class SmallMap<K, V> {
  #keys: K[] | null = null
  #values: V[] | null = null

  get size(): number {
    return this.#keys?.length ?? 0
  }

  get(key: K): V | undefined {
    const at = this.#at(key)
    return at < 0 ? undefined : this.#values?.[at]
  }

  has(key: K): boolean {
    return this.#at(key) >= 0
  }

  set(key: K, value: V): this {
    const at = this.#at(key)
    if (this.#keys === null || this.#values === null) {
      this.#keys = [key]
      this.#values = [value]
    } else if (at >= 0) this.#values[at] = value
    else {
      this.#keys.push(key)
      this.#values.push(value)
    }
    return this
  }

  delete(key: K): boolean {
    const at = this.#at(key)
    if (at < 0) return false
    if (this.size === 1) this.clear()
    else {
      this.#keys?.splice(at, 1)
      this.#values?.splice(at, 1)
    }
    return true
  }

  clear(): void {
    this.#keys = null
    this.#values = null
  }

  /** A copy: entries may go while it is walked. */
  keys(): K[] {
    return [...(this.#keys ?? [])]
  }

  values(): V[] {
    return [...(this.#values ?? [])]
  }

  #at(key: K): number {
    return this.#keys === null ? -1 : this.#keys.indexOf(key)
  }
}
