import type { BodyReader } from '../../client/environment.ts'

/** A body as it arrives. */
export class Body implements BodyReader {
  readonly #chunks: Uint8Array[] = []
  #over: { error: Error | null } | null = null
  #waiting: PromiseWithResolvers<void> | null = null

  async read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
    for (;;) {
      const value = this.#chunks.shift()
      if (value) return { done: false, value }
      if (this.#over?.error) throw this.#over.error
      if (this.#over) return { done: true }
      this.#waiting ??= Promise.withResolvers<void>()
      await this.#waiting.promise
    }
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#wake()
  }

  end(error: Error | null): void {
    this.#over ??= { error }
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }
}
