import type { Session, TransportName, WireEvent } from '../../../client/client.ts'
import { OP } from '../../../protocol/frames.ts'

/** What one transport has cost so far, and how soon it showed what happened. */
export interface Reading {
  readonly transport: TransportName
  /** Why it does not work here; null where it does. */
  readonly trouble: string | null
  readonly requests: number
  /** Bytes, of bodies and of the headers that a page knows. */
  readonly up: number
  readonly down: number
  /** From the last move to its sight, ms; null before the first. */
  readonly last: number | null
  /** Of the last moves. */
  readonly median: number | null
  /** The last frames, the newest first. */
  readonly lines: readonly Line[]
  /** The request that opened the way down, and the head of its answer. */
  readonly handshake: string
}

export interface Line {
  readonly id: number
  readonly way: 'up' | 'down'
  readonly bytes: number
  readonly text: string
}

const LINES_KEPT = 10
const LINE_CHARACTERS = 160
const TEXT_CHARACTERS = 16
const ID_SHOWN = 5
const LATENCIES_KEPT = 31
/** The requests that bring documents. */
const WAY_DOWN = /^GET \S*\/v1\/(ws|sse|poll)\b/
/** A poll that does not wait, as long polling sends one now and then to be sure. */
const WITHOUT_WAIT = /[?&]wait=0\b/

/** Counts what a session's transport carries. */
export class Meter {
  readonly #changed: () => void
  #reading: Reading
  #latencies: number[] = []
  #lastLine = 0

  constructor(transport: TransportName, changed: () => void) {
    this.#changed = changed
    this.#reading = {
      transport,
      trouble: null,
      requests: 0,
      up: 0,
      down: 0,
      last: null,
      median: null,
      lines: [],
      handshake: '',
    }
  }

  get transport(): TransportName {
    return this.#reading.transport
  }

  get reading(): Reading {
    return this.#reading
  }

  observe(session: Session): void {
    session.on('wire', (event) => this.#take(event))
    session.state.subscribe((state) => {
      if (state.status === 'closed' && state.why !== 'asked') this.failed(state.error.message)
    })
  }

  /** A move was seen this many ms after it was sent. */
  saw(ms: number): void {
    this.#latencies = [ms, ...this.#latencies].slice(0, LATENCIES_KEPT)
    const sorted = this.#latencies.toSorted((a, b) => a - b)
    this.#set({ last: ms, median: sorted[Math.floor(sorted.length / 2)] ?? null })
  }

  failed(trouble: string): void {
    this.#set({ trouble })
  }

  #take({ direction, kind, bytes, text, frames }: WireEvent): void {
    const isRequest = kind === 'head' && direction === 'up'
    this.#set({
      requests: this.#reading.requests + (isRequest ? 1 : 0),
      [direction]: this.#reading[direction] + bytes,
      lines: [...this.#lines(direction, bytes, frames), ...this.#reading.lines].slice(0, LINES_KEPT),
      handshake: kind === 'head' ? this.#handshake(direction, text ?? '') : this.#reading.handshake,
    })
  }

  #lines(way: 'up' | 'down', bytes: number, frames: readonly unknown[]): Line[] {
    return frames
      .map((frame) => ({
        id: ++this.#lastLine,
        way,
        bytes: Math.round(bytes / frames.length),
        text: textOf(frame).slice(0, LINE_CHARACTERS),
      }))
      .toReversed()
  }

  /** The first request for what comes, then the first answer after it. */
  #handshake(direction: 'up' | 'down', text: string): string {
    const { handshake } = this.#reading
    const head = text.trimEnd().replace(/^(authorization: Bearer .{6}).*$/im, '$1…')
    const isFirst =
      handshake === '' && WAY_DOWN.test(text) && !(this.transport === 'longpoll' && WITHOUT_WAIT.test(text))
    if (direction === 'up') return isFirst ? head : handshake
    return handshake === '' || handshake.includes('\n\n') ? handshake : `${handshake}\n\n${head}`
  }

  #set(change: Partial<Reading>): void {
    this.#reading = { ...this.#reading, ...change }
    this.#changed()
  }
}

const NAMES = new Map<unknown, string>(
  Object.entries(OP).map(([name, op]) => [op, name === 'castOut' ? 'CAST' : name.toUpperCase()]),
)

/** A frame with its op by name. Pure. */
const textOf = (frame: unknown): string => {
  const [op, ...rest]: unknown[] = Array.isArray(frame) ? frame : [frame]
  return [NAMES.get(op) ?? op, ...rest.map((value) => JSON.stringify(value, plain))].join(' ')
}

/** A value in a frame, readable: ids are cut, binary is counted. */
const plain = (_: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return `${value.length} bytes of binary`
  return typeof value === 'string' && value.length > TEXT_CHARACTERS ? `${value.slice(0, ID_SHOWN)}…` : value
}
