/** Takes one step after the other until nothing is left to do; never two at a time, and never misses that there is more. */
export class Reconciler {
  readonly #step: () => Promise<boolean>
  readonly #failed: (error: unknown) => void
  #running = false
  #poked = false

  /** `step` does the next thing and says whether there may be more. Where it throws, `failed` hears of it, and all rests until the next poke. */
  constructor(step: () => Promise<boolean>, failed: (error: unknown) => void) {
    this.#step = step
    this.#failed = failed
  }

  /** Something changed. */
  poke(): void {
    this.#poked = true
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#poked) {
      this.#poked = false
      try {
        while (await this.#step());
      } catch (error) {
        this.#failed(error)
      }
    }
    this.#running = false
  }
}
