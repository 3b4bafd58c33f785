/** One event of a stream. */
export interface StreamEvent {
  event: string
  data: string
}

/** Reads the events of a `text/event-stream` from its pieces; comments and fields that we do not use are left out. */
export class EventReader {
  readonly #on: (event: StreamEvent) => void
  readonly #decoder = new TextDecoder()
  #rest = ''
  #event = 'message'
  #data: string | null = null

  constructor(on: (event: StreamEvent) => void) {
    this.#on = on
  }

  read(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data !== null) this.#on({ event: this.#event, data: this.#data })
      this.#event = 'message'
      this.#data = null
    } else if (line.startsWith('data:')) {
      const value = line.slice(line[5] === ' ' ? 6 : 5)
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`
    } else if (line.startsWith('event:')) this.#event = line.slice(line[6] === ' ' ? 7 : 6)
  }
}
