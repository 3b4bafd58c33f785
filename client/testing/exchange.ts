import type { Clock } from '../../protocol/clock.ts'
import type { FetchAnswer } from '../environment.ts'

export interface TestRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** The server's end of a request. */
export interface Reply {
  head(status: number, headers?: Record<string, string>): void
  write(bytes: Uint8Array): void
  end(): void
}

/** Serves a request; returns what to do when its peer has gone. */
export type ServeHttp = (request: TestRequest, reply: Reply) => () => void

interface ExchangeParts {
  readonly clock: Clock
  /** Carries what comes down, in order. */
  readonly down: (task: () => void) => void
  readonly holdsBack: boolean
  readonly idle: number
  readonly losesAnswer: boolean
  over(): void
}

type Read = { done: boolean; value?: Uint8Array }

/** One request and its answer on the test network. */
export class Exchange implements Reply {
  readonly answer: Promise<FetchAnswer>
  readonly #parts: ExchangeParts
  readonly #settle: { resolve(answer: FetchAnswer): void; reject(error: Error): void }
  readonly #came: Read[] = []
  #reader: { resolve(read: Read): void; reject(error: Error): void } | null = null
  #held: (() => void)[] = []
  #gone: () => void = () => {}
  #error: Error | null = null
  #over = false
  #cancelIdle: () => void = () => {}

  constructor(parts: ExchangeParts) {
    const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer>()
    this.#parts = parts
    this.answer = promise
    this.#settle = { resolve, reject }
    this.#carried()
  }

  reached(gone: () => void): void {
    if (this.#over) gone()
    else this.#gone = gone
  }

  head(status: number, headers: Record<string, string> = {}): void {
    if (this.#parts.losesAnswer) this.cut('the answer was lost')
    this.#carry(() => {
      this.#settle.resolve({
        status,
        headers: {
          get: (name) => headers[name] ?? null,
          forEach: (each) => {
            for (const [name, value] of Object.entries(headers)) each(value, name)
          },
        },
        body: { getReader: () => ({ read: () => this.#read() }) },
      })
    })
  }

  write(bytes: Uint8Array): void {
    this.#carry(() => this.#put({ done: false, value: bytes }))
  }

  end(): void {
    this.#carry(() => {
      this.#put({ done: true })
      this.#finish()
    })
    const held = this.#held
    this.#held = []
    for (const task of held) this.#parts.down(task)
  }

  cut(reason: string): void {
    if (this.#over) return
    this.#error = new TypeError(reason)
    this.#finish()
    this.#gone()
    this.#parts.clock.after(0, () => {
      this.#settle.reject(new TypeError(reason))
      this.#reader?.reject(new TypeError(reason))
    })
  }

  #finish(): void {
    this.#over = true
    this.#cancelIdle()
    this.#parts.over()
  }

  #carry(task: () => void): void {
    if (this.#over) return
    const carried = (): void => {
      this.#carried()
      task()
    }
    if (this.#parts.holdsBack) this.#held.push(carried)
    else this.#parts.down(carried)
  }

  #carried(): void {
    this.#cancelIdle()
    const { clock, idle } = this.#parts
    if (idle < Number.POSITIVE_INFINITY && !this.#over)
      this.#cancelIdle = clock.after(idle, () => this.cut('idle for too long'))
  }

  #put(read: Read): void {
    const reader = this.#reader
    this.#reader = null
    if (reader) reader.resolve(read)
    else this.#came.push(read)
  }

  #read(): Promise<Read> {
    const next = this.#came.shift()
    if (next) return Promise.resolve(next)
    if (this.#error) return Promise.reject(this.#error)
    const { promise, resolve, reject } = Promise.withResolvers<Read>()
    this.#reader = { resolve, reject }
    return promise
  }
}
