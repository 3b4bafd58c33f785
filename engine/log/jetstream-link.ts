import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers, type NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '../../protocol/clock.ts'
import { DirectPages, type Lasts, type Page, type Stored } from './jetstream-direct.ts'
import { CODES, codeOf, isPassing, isRefusal, isSilence, isStarting, reasonOf } from './jetstream-errors.ts'
import type { Place } from './jetstream-places.ts'
import { FateUnknown, NotStored, StorageError } from './log.ts'

/** How long an answer is waited for. */
const ANSWER_MS = 2_000
/** How long a request that NATS refused for the moment is sent again. */
const PATIENCE_MS = 2_000
const PAUSE_MS = 50
/** Pauses grow: while a stream has no leader, all rooms ask. */
const LONGEST_PAUSE_MS = 400
const PAGE_PATIENCE_MS = 6_000
/** For what is asked at the start and for `verify`: a cluster that starts too, and long lists. */
const SLOW_ANSWER_MS = 10_000
const START_PATIENCE_MS = 20_000

/** Another message stands last under the subject than the one that was named. */
export class WrongSequence extends Error {}

/** Requests to JetStream, each with a limit of time and a clear fate. The connection stays its owner's. */
export class JetStreamLink {
  readonly #connection: NatsConnection
  readonly #clock: Clock
  readonly #jetstream: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #patient: JetStreamManager
  readonly #direct: DirectPages
  #connected = true

  private constructor(connection: NatsConnection, clock: Clock, manager: JetStreamManager, patient: JetStreamManager) {
    this.#connection = connection
    this.#clock = clock
    this.#jetstream = jetstream(connection, { timeout: ANSWER_MS })
    this.#manager = manager
    this.#patient = patient
    this.#direct = new DirectPages(connection)
    void this.#follow()
  }

  /** Resolves with requests over this connection, without asking the server for anything yet. */
  static async over(connection: NatsConnection, clock: Clock): Promise<JetStreamLink> {
    const manager = (timeout: number) => jetstreamManager(connection, { timeout, checkAPI: false })
    return new JetStreamLink(connection, clock, await manager(ANSWER_MS), await manager(SLOW_ANSWER_MS))
  }

  /** How large a message may be, as far as the server has said. */
  get mostBytes(): number {
    return this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY
  }

  /** What NATS answers to a question of the start, which waits for a cluster that is starting too. Rejects with what it refused with. */
  starting<T>(request: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    return this.#again(
      () => request(this.#patient),
      START_PATIENCE_MS,
      (error) => isPassing(error) || isStarting(error),
    )
  }

  /**
   * Resolves with the sequence under which the message is stored. `after` is the sequence that the last message of the subject must have
   * (0: there is none); without it the message goes behind whatever is there. Rejects with WrongSequence, NotStored or FateUnknown.
   */
  async write({ subject }: Place, body: Uint8Array, after?: number): Promise<number> {
    const given = headers()
    if (after !== undefined) given.set('Nats-Expected-Last-Subject-Sequence', String(after))
    return await this.#persist(async () => {
      const stored = await this.#jetstream.publish(subject, body, { headers: given })
      return stored.seq
    })
  }

  /** The last message under a subject, which may be a pattern, as the stream's leader knows it. Rejects with StorageError. */
  async last({ stream, subject }: Place): Promise<Stored | null> {
    const message = await this.#ask(() => this.#manager.streams.getMessage(stream, { last_by_subj: subject }))
    return message && { subject: message.subject, sequence: message.seq, body: new Uint8Array(message.data) }
  }

  /** Overwrites what is stored under a subject, so that no file of the stream holds it any more. Rejects with NotStored, FateUnknown or StorageError. */
  async erase(place: Place): Promise<void> {
    for (let kept = await this.last(place); kept !== null; kept = await this.last(place)) {
      const { sequence } = kept
      await this.#persist(() => this.#manager.streams.deleteMessage(place.stream, sequence, true))
    }
  }

  /** The subjects that a pattern covers and there are messages under, as the stream's leader knows them. Rejects with StorageError. */
  async subjects({ stream, subject }: Place): Promise<string[]> {
    const { state } = await this.#ask(() => this.#patient.streams.info(stream, { subjects_filter: subject }))
    return Object.keys(state.subjects ?? {})
  }

  /** As `DirectPages.page`, which is asked again where a replica says nothing. Rejects with StorageError. */
  async page(place: Place, after: number, limit: number): Promise<Page> {
    return await this.#askReplica(() => this.#direct.page(place, after, limit))
  }

  /** As `DirectPages.lastOfEach`, in the same way. */
  async lastOfEach(stream: string, subjects: readonly string[]): Promise<Lasts | null> {
    return await this.#askReplica(() => this.#direct.lastOfEach(stream, subjects))
  }

  /** Resolves after a pause, in ms, before the same is asked again. */
  pause(ms = PAUSE_MS): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }

  #askReplica<T>(request: () => Promise<T>): Promise<T> {
    return this.#ask(request, PAGE_PATIENCE_MS, (error) => isPassing(error) || isSilence(error))
  }

  async #persist<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await this.#again(request)
    } catch (error) {
      if (codeOf(error) === CODES.notOfThisSequence) throw new WrongSequence('', { cause: error })
      const isSure = error instanceof NotStored || isPassing(error) || isRefusal(error)
      throw new (isSure ? NotStored : FateUnknown)(reasonOf(error), { cause: error })
    }
  }

  async #ask<T>(request: () => Promise<T>, patienceMs = PATIENCE_MS, passes = isPassing): Promise<T> {
    try {
      return await this.#again(request, patienceMs, passes)
    } catch (error) {
      throw new StorageError(reasonOf(error), { cause: error })
    }
  }

  /** Sends the request until NATS takes it or time is up. Safe for all that is written: it is fenced, or says the same again. */
  async #again<T>(request: () => Promise<T>, patienceMs = PATIENCE_MS, passes = isPassing): Promise<T> {
    let isLate = false
    const cancel = this.#clock.after(patienceMs, () => {
      isLate = true
    })
    try {
      for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        try {
          // The client would send it whenever it has a connection again, long after it was given up.
          if (!this.#connected) throw new NotStored('NATS is not reached')
          return await request()
        } catch (error) {
          if (isLate || !(error instanceof NotStored || passes(error))) throw error
        }
        await this.pause(pauseMs)
      }
    } finally {
      cancel()
    }
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect' || type === 'close') this.#connected = false
      if (type === 'reconnect') this.#connected = true
    }
  }
}
