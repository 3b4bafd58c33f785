/** Reads an event stream as it comes, and gives the data of its events of type `frame`. Comments and other events are skipped. */
export class EventText {
  readonly #decoder = new TextDecoder()
  readonly #on: (data: string) => void
  #rest = ''
  #event = ''
  #data: string[] = []

  constructor(on: (data: string) => void) {
    this.#on = on
  }

  /** The characters that came. */
  push(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes, { stream: true })
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
    return text
  }

  /** Characters of an event that has not ended. */
  get buffered(): number {
    return this.#rest.length + this.#data.reduce((sum, line) => sum + line.length, 0)
  }

  #line(line: string): void {
    if (line === '') {
      const [event, data] = [this.#event, this.#data]
      this.#event = ''
      this.#data = []
      if (event === 'frame' && data.length > 0) this.#on(data.join('\n'))
      return
    }
    const at = line.indexOf(':')
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(line[at + 1] === ' ' ? at + 2 : at + 1)
    if (field === 'event') this.#event = value
    if (field === 'data') this.#data.push(value)
  }
}
