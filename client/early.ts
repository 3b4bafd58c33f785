/** Events that came before anybody could listen, told in their order once somebody can. */
export class Early {
  #kept: (() => void)[] | null = []

  /** Tells listeners of an event: at once, or with the others. */
  tell(event: () => void): void {
    if (this.#kept === null) event()
    else this.#kept.push(event)
  }

  /** Tells what was kept; from now on all is told at once. */
  release(): void {
    const kept = this.#kept ?? []
    this.#kept = null
    for (const event of kept) event()
  }
}
