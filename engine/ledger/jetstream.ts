import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import type { NatsLink } from '../../bus/nats-connection.ts'
import type { Clock } from '../../protocol/clock.ts'
import { CODES, codeOf } from '../log/jetstream-errors.ts'
import { JetStreamLink } from '../log/jetstream-link.ts'
import { bucketOf, prepareBucket } from './jetstream-bucket.ts'
import { JetStreamWatch } from './jetstream-watch.ts'
import { type Ledger, type LedgerEntry, LedgerSilent } from './ledger.ts'

export interface JetStreamLedgerOptions {
  /** Stays open: the ledger has no end of its own. */
  readonly link: NatsLink
  readonly clock: Clock
  /** Copies of it in the cluster: 1 or 3. */
  readonly replicas: number
  /** Keeps installations on one NATS apart: letters, digits, `_` and `-`. */
  readonly prefix?: string
  /** How long a key stays after its last `post`, in whole seconds. */
  readonly fadesAfterMs?: number
}

const PUT_ANSWERS_MS = 2_000
/**
 * Revisions begin where the time is at which the bucket was made: in one that is made anew, while the log stays, they go on above all
 * that the log's records name as epochs. No bucket takes so many writes.
 */
const REVISIONS_PER_MS = 1_000
/** What JetStream answers to a write that does not follow the last one of its key, or of which it does not know yet whether it does. */
const CONFLICTS: readonly (number | null)[] = [CODES.notOfThisSequence, CODES.anotherUnderWay]

/**
 * Resolves with the ledger that a KV bucket of NATS is; the first to open it makes the bucket. Rejects where NATS does not let it, or
 * it was made with other settings, with what to do.
 */
export const openJetStreamLedger = async (options: JetStreamLedgerOptions): Promise<Ledger> => {
  const { link, clock, replicas, prefix = 'madang', fadesAfterMs = 60_000 } = options
  const manager = await jetstreamManager(link.connection, { timeout: PUT_ANSWERS_MS, checkAPI: false })
  const bucket = bucketOf(prefix)
  const madeAt = await prepareBucket(await JetStreamLink.over(link.connection, clock), {
    bucket,
    replicas,
    fadesAfterMs,
  })
  return new JetStreamLedger({ link, clock, manager, bucket, fadesAfterMs, base: madeAt * REVISIONS_PER_MS })
}

interface Parts {
  readonly link: NatsLink
  readonly clock: Clock
  readonly manager: JetStreamManager
  readonly bucket: string
  readonly fadesAfterMs: number
  /** Of the bucket's sequence 0. */
  readonly base: number
}

class JetStreamLedger implements Ledger {
  readonly #parts: Parts
  readonly #client: JetStreamClient
  readonly #ttl: string

  constructor(parts: Parts) {
    this.#parts = parts
    this.#client = jetstream(parts.link.connection, { timeout: PUT_ANSWERS_MS })
    this.#ttl = `${parts.fadesAfterMs / 1_000}s`
  }

  watch(hear: (entry: LedgerEntry) => void): Promise<() => void> {
    const { base } = this.#parts
    return JetStreamWatch.start(this.#parts, (entry) => hear({ ...entry, revision: base + entry.revision }))
  }

  post(key: string, value: string): void {
    const { link } = this.#parts
    // The client would keep it, and write it when the connection is back: it is of no use then.
    if (!link.isConnected) return
    const given = headers()
    given.set('Nats-TTL', this.#ttl)
    link.connection.publish(this.#subject(key), value, { headers: given })
  }

  async put(key: string, value: string, revision: number): Promise<number | null> {
    if (!this.#parts.link.isConnected) throw new LedgerSilent('there is no connection to NATS')
    try {
      const { base } = this.#parts
      const expect = { lastSubjectSequence: revision === 0 ? 0 : revision - base }
      return base + (await this.#client.publish(this.#subject(key), value, { expect, retries: 1 })).seq
    } catch (error) {
      if (CONFLICTS.includes(codeOf(error))) return null
      throw new LedgerSilent(`NATS did not write ${key}: ${error}`, { cause: error })
    }
  }

  #subject(key: string): string {
    return `$KV.${this.#parts.bucket}.${key}`
  }
}
