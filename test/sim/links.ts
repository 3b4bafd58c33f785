interface Cut {
  readonly most: number
  /** What is delivered when it heals. */
  readonly kept: (() => void)[]
}

/** Between which places nothing goes through now, each direction by itself. */
export class Links {
  /** By the two places. */
  readonly #cut = new Map<string, Cut>()

  reaches(from: string, to: string): boolean {
    return !this.#cut.has(key(from, to))
  }

  /** `most`: so many messages that are sent now wait until it heals, as where TCP stands still; the others are lost. */
  cut(from: string, to: string, most = 0): void {
    const link = key(from, to)
    if (!this.#cut.has(link)) this.#cut.set(link, { most, kept: [] })
  }

  /** Keeps `deliver` until the link heals; false where it is lost. */
  keep(from: string, to: string, deliver: () => void): boolean {
    const cut = this.#cut.get(key(from, to))
    if (cut === undefined || cut.kept.length >= cut.most) return false
    cut.kept.push(deliver)
    return true
  }

  heal(from: string, to: string): void {
    const link = key(from, to)
    const cut = this.#cut.get(link)
    this.#cut.delete(link)
    for (const deliver of cut?.kept ?? []) deliver()
  }

  healAll(): void {
    for (const link of [...this.#cut.keys()]) {
      const [from = '', to = ''] = link.split(' > ')
      this.heal(from, to)
    }
  }

  /** Whether anything is cut that touches this place. */
  touches(place: string): boolean {
    return [...this.#cut.keys()].some((link) => link.split(' > ').includes(place))
  }
}

const key = (from: string, to: string): string => `${from} > ${to}`
