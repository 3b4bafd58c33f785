/** Calls that touch the same thing run one after another, in the order in which they were made; others do not wait. */
export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `work` when all that was called for this thing before is settled. Settles as `work` does. */
  run<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(thing)
    const turn = before === undefined ? work() : before.then(work, work)
    const tail = turn
      .catch(() => {})
      .finally(() => {
        if (this.#tails.get(thing) === tail) this.#tails.delete(thing)
      })
    this.#tails.set(thing, tail)
    return turn
  }

  /** Resolves when all that was called before, for whatever thing or for these, is settled. */
  async settled(which: (thing: string) => boolean = () => true): Promise<void> {
    await Promise.all([...this.#tails].map(([thing, tail]) => which(thing) && tail))
  }
}
