import { headers, type NatsConnection, TimeoutError } from '@nats-io/transport-node'
import type { Place } from './jetstream-places.ts'
import { Slots } from './slots.ts'

/** A replica that says nothing may have stopped: the next one that is asked may be another. */
const ANSWER_MS = 1_500
const PAGE_BYTES = 1024 * 1024
const PAGE_MESSAGES = 1_000
/** On their way at a time, so that a takeover of many rooms does not stampede the servers. */
const PAGES_AT_ONCE = 16

const END_OF_PAGE = 204
const NOTHING_FOUND = 404
const TOO_MANY_FOUND = 413

/** A message as a stream keeps it. */
export interface Stored {
  readonly subject: string
  readonly sequence: number
  readonly body: Uint8Array
}

export interface Page {
  readonly found: Stored[]
  /** The replica that answered knows no more. */
  readonly ended: boolean
}

export interface Lasts {
  readonly found: Stored[]
  /** The last sequence of the stream that the replica knew which answered; 0 where it found nothing. */
  readonly upTo: number
}

/** Messages of a stream by the page, from whichever replica answers: without a consumer, and without its leader. */
export class DirectPages {
  readonly #connection: Pick<NatsConnection, 'requestMany'>
  readonly #slots = new Slots(PAGES_AT_ONCE)

  constructor(connection: Pick<NatsConnection, 'requestMany'>) {
    this.#connection = connection
  }

  /** Messages under a subject, which may be a pattern, after a sequence, oldest first. Rejects with TimeoutError, or with what the server says. */
  async page({ stream, subject }: Place, after: number, limit: number): Promise<Page> {
    const batch = Math.min(limit, PAGE_MESSAGES)
    const question = JSON.stringify({ seq: after + 1, next_by_subj: subject, batch, max_bytes: PAGE_BYTES })
    return await this.#slots.run(() => this.#ask(stream, question))
  }

  /**
   * The last message under each of these subjects, which may be patterns; null where they are more than NATS gives at once (1,024). It looks them up, where a
   * page walks over every message of the stream that stands between them. Rejects as `page`.
   */
  async lastOfEach(stream: string, subjects: readonly string[]): Promise<Lasts | null> {
    const question = JSON.stringify({ multi_last: subjects })
    const { found, ended, upTo } = await this.#slots.run(() => this.#ask(stream, question))
    return ended ? { found, upTo } : null
  }

  async #ask(stream: string, question: string): Promise<Page & Lasts> {
    const limits = { strategy: 'timer' as const, maxWait: ANSWER_MS }
    const found: Stored[] = []
    for await (const message of await this.#connection.requestMany(`$JS.API.DIRECT.GET.${stream}`, question, limits)) {
      const given = message.headers ?? headers()
      // After some it means that the next one could not be read.
      if (given.code === NOTHING_FOUND) return { found, ended: found.length === 0, upTo: 0 }
      if (given.code === TOO_MANY_FOUND) return { found, ended: false, upTo: 0 }
      if (given.code !== 0 && given.code !== END_OF_PAGE) throw new Error(`NATS: ${given.description} (${given.code})`)
      // Each names the one before it, and the end the last: where that did not come the connection was lost meanwhile, or a link between servers.
      if (Number(given.get('Nats-Last-Sequence')) !== (found.at(-1)?.sequence ?? 0)) throw new TimeoutError()
      if (given.code === END_OF_PAGE)
        return {
          found,
          ended: given.get('Nats-Num-Pending') === '0',
          upTo: Number(given.get('Nats-UpTo-Sequence')),
        }
      const sequence = Number(given.get('Nats-Sequence'))
      found.push({ subject: given.get('Nats-Subject'), sequence, body: new Uint8Array(message.data) })
    }
    throw new TimeoutError()
  }
}
