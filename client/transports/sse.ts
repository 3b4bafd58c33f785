import { SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type Seq, type ServerFrame } from '../../protocol/frames.ts'
import { parseJsonFrame } from '../../protocol/json.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import { ANSWER_MS, type Channel, type ChannelPort, FOLLOWS_MS, pathOf } from './channel.ts'
import { EventText } from './events.ts'
import { newsIn } from './frames.ts'
import { Held } from './held.ts'
import type { Answer } from './http.ts'

/** The server begins every stream with a comment: what brings none within this is held back on the way. */
const FIRST_MS = 2_000
/** The server sends a comment every 15 s. */
const SILENCE_MS = 25_000
/** What a stream owes, as a poll says, comes within this, or the stream is broken. */
const OWED_MS = 1_000

export interface StreamPort extends ChannelPort {
  /** What came as events, for who watches the wire. */
  heard(text: string, frames: readonly unknown[]): void
  /** This player holds as many streams open as the server allows. `held`: what waits for the document. */
  crowded(held: Held): void
  /** The stream ended after `lasted` ms without anyone asking for it. */
  broke(lasted: number): void
}

/**
 * A room's event stream. Some answers wait for a seq, which the stream shows by itself; others for all that the room shows now, and
 * only a poll beside it can tell up to which seq that is. The poll's own frames are dropped: what it says and the stream does
 * not bring in time shows that the stream is broken.
 *
 * `#begun` once it is known that the stream brings what came after the JOIN, or that nothing did. At most one poll runs, and none
 * while what the last one showed is awaited.
 */
export class SseChannel implements Channel {
  readonly #port: StreamPort
  readonly #held = new Held()
  readonly #events = new EventText((data) => this.#took(data))
  readonly #endStream: () => void
  readonly #began: number
  /** The seq up to which everything came, also the EMITs. */
  #position: Seq | null
  #begun = false
  /** Frames that came, to tell whether the stream moves. */
  #count = 0
  #frames: unknown[] = []
  #checking = false
  /** Something is known to be owed since then, when so many frames had come. */
  #owing: { readonly count: number; readonly since: number } | null = null
  #over = false
  #cancelDeath: () => void
  #cancelLook: (() => void) | null = null

  constructor(port: StreamPort) {
    const { clock } = port.environment
    this.#port = port
    this.#position = port.since
    this.#began = clock.now()
    this.#cancelDeath = clock.after(FIRST_MS, () => this.#heldBack())
    this.#endStream = port.http.stream(pathOf('sse', port.room, port.since), {
      opened: (answer) => this.#opened(answer),
      chunk: (bytes) => this.#chunk(bytes),
      ended: () => {
        if (!this.#over) this.#broke()
      },
    })
  }

  whenShown(seq: Seq | null, task: () => void): void {
    if (this.#held.size === 0 && seq !== null && this.#begun && seq <= (this.#position ?? 0)) {
      task()
      return
    }
    this.#held.add(seq, task)
    if (seq === null) this.#look()
    else this.#lookSoon(FOLLOWS_MS)
  }

  nudge(): void {}

  probe(): void {
    this.#check()
  }

  end(): void {
    this.#stop()
    this.#held.release(this.#held.end)
  }

  #stop(): void {
    this.#over = true
    this.#cancelDeath()
    this.#cancelLook?.()
    this.#endStream()
  }

  #heldBack(): void {
    this.#stop()
    this.#port.unfit('an event stream did not begin')
  }

  #opened(answer: Pick<Answer, 'status' | 'retryAfter'>): void {
    if (this.#over) return
    this.#cancelDeath()
    if (answer.status === 200) {
      this.#cancelDeath = this.#port.environment.clock.after(FIRST_MS, () => this.#heldBack())
      return
    }
    this.#stop()
    if (answer.status === 429) {
      this.#port.crowded(this.#held)
      return
    }
    const pause = this.#port.refused({ ...answer, body: new Uint8Array() }, 1)
    if (pause !== null) this.#cancelLook = this.#port.environment.clock.after(pause, () => this.#port.adrift())
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#over) return
    this.#cancelDeath()
    this.#cancelDeath = this.#port.environment.clock.after(SILENCE_MS, () => this.#broke())
    // Where nothing changed since the JOIN, only a poll can tell.
    if (!this.#begun && this.#count === 0 && this.#port.since !== null) this.#lookSoon(FOLLOWS_MS)
    const text = this.#events.push(bytes)
    if (this.#frames.length > 0 || text !== '') this.#port.heard(text, this.#frames)
    this.#frames = []
    if (this.#over) return
    if (this.#events.buffered > SERVER_LIMITS.bytes) this.#broke()
    else this.#held.reached(this.#position ?? 0)
  }

  #took(data: string): void {
    if (this.#over) return
    let frame: ServerFrame | null
    try {
      frame = parseServerFrame(parseJsonFrame(data, SERVER_LIMITS))
    } catch {
      this.#broke()
      return
    }
    if (frame === null) return
    this.#count++
    this.#frames.push(frame)
    if (frame[0] === OP.state || frame[0] === OP.patch || frame[0] === OP.emit) {
      this.#begin()
      const seq = frame[0] === OP.patch ? frame[3] : frame[2]
      this.#position = Math.max(this.#position ?? 0, seq)
    }
    this.#port.frame(frame, false)
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#port.begun()
  }

  #lookSoon(ms: number): void {
    if (!this.#over) this.#cancelLook ??= this.#port.environment.clock.after(ms, () => this.#look())
  }

  /** Sees to what waits: asks what the stream owes, unless that is known and has not come. */
  #look(): void {
    this.#cancelLook?.()
    this.#cancelLook = null
    const owing = this.#owing
    if (owing?.count !== this.#count) {
      this.#owing = null
      if (this.#held.size > 0 || !this.#begun) this.#check()
    } else if (this.#port.environment.clock.now() - owing.since < OWED_MS) {
      this.#lookSoon(FOLLOWS_MS)
    } else {
      this.#broke()
    }
  }

  /** Asks by a poll what the stream has not brought. */
  #check(): void {
    if (this.#checking || this.#over) return
    this.#checking = true
    const asked = this.#held.end
    const came = this.#count
    this.#port.http.ask(pathOf('poll', this.#port.room, this.#position, 0), ANSWER_MS).answer.then(
      (answer) => this.#checked(answer, asked, came),
      () => this.#checked(null, asked, came),
    )
  }

  #checked(answer: Answer | null, asked: number, came: number): void {
    this.#checking = false
    if (this.#over) return
    const status = answer?.status ?? 0
    if (status === 403 || status === 404) {
      this.#stop()
      this.#port.adrift()
    } else if (answer && (status === 200 || status === 204)) {
      this.#owes(status === 200 ? newsIn(answer.body) : 0, asked, came)
    } else {
      this.#lookSoon(OWED_MS)
    }
  }

  /** The room had news up to `seq` when what stands before the mark `asked` waited, and `came` frames had come. */
  #owes(seq: Seq, asked: number, came: number): void {
    if (seq > (this.#position ?? 0)) {
      this.#held.known(asked, seq)
      this.#owing = { count: came, since: this.#port.environment.clock.now() }
      this.#lookSoon(FOLLOWS_MS)
      return
    }
    this.#begin()
    this.#held.release(asked)
    if (this.#held.isBlind) this.#look()
    else if (this.#held.size > 0) this.#lookSoon(FOLLOWS_MS)
  }

  #broke(): void {
    if (this.#over) return
    this.#stop()
    this.#port.broke(this.#port.environment.clock.now() - this.#began)
  }
}
