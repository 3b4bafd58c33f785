import type { Clock } from '../../protocol/clock.ts'
import { concat, encode } from '../../protocol/codec.ts'
import { type ErrFrame, type OkFrame, OP, type Ref } from '../../protocol/frames.ts'
import { MadangError } from '../error.ts'
import { PING_MS } from '../link.ts'
import type { ServerTime } from '../server-time.ts'
import { ANSWER_MS } from './channel.ts'
import { framesIn } from './frames.ts'
import type { Http } from './http.ts'
import type { Refused } from './refusal.ts'
import type { Posted, Upward } from './uplink.ts'

/** What posting needs of its link. */
export interface PostPort {
  readonly clock: Clock
  readonly http: Http
  readonly time: ServerTime
  /** OK or ERR; `asked` is undefined where nobody knows for what. */
  answered(frame: OkFrame | ErrFrame, asked: Upward | undefined): void
  /** As in `ChannelPort`. */
  refused(refused: Refused, times: number): number | null
  /** The link is at its end; `silent`: for nothing came. */
  failed(reason: string, silent: boolean): void
}

/** `POST /v1/send`: each takes a batch up and hands out its answers. Now and then a PING goes along, for the server's time. */
export class Post {
  readonly #port: PostPort
  #pingedAt: number
  #failures = 0

  constructor(port: PostPort) {
    this.#port = port
    this.#pingedAt = port.clock.now()
  }

  /** Never rejects. */
  async send(body: Uint8Array, batch: readonly Upward[]): Promise<Posted> {
    let refused: Refused = null
    try {
      const answer = await this.#port.http.ask('/v1/send', ANSWER_MS, concat(body, this.#ping())).answer
      if (answer.status === 200) return this.#took(answer.body, batch)
      refused = answer
    } catch (error) {
      if (error instanceof MadangError && error.detail === 'timeout') {
        this.#port.failed(error.message, true)
        return 'over'
      }
    }
    const again = this.#port.refused(refused, ++this.#failures)
    return again === null ? 'over' : { again }
  }

  #ping(): Uint8Array {
    const now = this.#port.clock.now()
    if (now - this.#pingedAt < PING_MS) return new Uint8Array()
    this.#pingedAt = now
    return encode([OP.ping, now])
  }

  #took(body: Uint8Array, batch: readonly Upward[]): Posted {
    this.#failures = 0
    const asked = new Map<Ref, Upward>()
    for (const frame of batch) if (frame.ref !== null) asked.set(frame.ref, frame)
    try {
      for (const frame of framesIn(body)) {
        if (frame[0] === OP.pong) this.#port.time.heard(frame[1], frame[2])
        else if (frame[0] === OP.ok || frame[0] === OP.err) this.#port.answered(frame, asked.get(frame[1] ?? 0))
      }
      return 'answered'
    } catch (error) {
      this.#port.failed(`what the server answered cannot be read: ${error}`, false)
      return 'over'
    }
  }
}
