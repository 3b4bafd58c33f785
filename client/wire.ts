import type { TransportName } from './link.ts'
import type { Emitter } from './store.ts'

/** What crossed the wire, as far as a page can know: HTTP's compression, cookies and what a browser adds to headers are not in it. */
export interface WireEvent {
  readonly transport: TransportName
  readonly direction: 'up' | 'down'
  /** `head`: a request's or an answer's line and headers, or a WebSocket's handshake; `frames`: what a body, an event or a message carries. */
  readonly kind: 'head' | 'frames'
  readonly bytes: number
  /** Of a head, or of the part of an event stream. */
  readonly text: string | null
  readonly frames: readonly unknown[]
}

/** The tap on a session's links: they tell it what they carry while somebody listens. */
export class Wire {
  readonly #events: Pick<Emitter<{ wire: [event: WireEvent] }>, 'has' | 'emit'>

  constructor(events: Pick<Emitter<{ wire: [event: WireEvent] }>, 'has' | 'emit'>) {
    this.#events = events
  }

  /** Whether it is worth making an event. */
  get watched(): boolean {
    return this.#events.has('wire')
  }

  tell(event: WireEvent): void {
    this.#events.emit('wire', event)
  }

  head(transport: TransportName, direction: 'up' | 'down', text: string): void {
    if (this.watched) this.tell({ transport, direction, kind: 'head', bytes: text.length, text, frames: [] })
  }
}
