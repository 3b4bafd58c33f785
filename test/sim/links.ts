/** Between which places nothing goes through now, each direction by itself. */
export class Links {
  readonly #cut = new Set<string>()

  reaches(from: string, to: string): boolean {
    return !this.#cut.has(key(from, to))
  }

  cut(from: string, to: string): void {
    this.#cut.add(key(from, to))
  }

  heal(from: string, to: string): void {
    this.#cut.delete(key(from, to))
  }

  healAll(): void {
    this.#cut.clear()
  }

  /** Whether anything is cut that touches this place. */
  touches(place: string): boolean {
    return [...this.#cut].some((link) => link.split(' > ').includes(place))
  }
}

const key = (from: string, to: string): string => `${from} > ${to}`
