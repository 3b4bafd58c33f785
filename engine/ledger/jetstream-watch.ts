import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import { createInbox, type Msg, nanos, type Subscription } from '@nats-io/transport-node'
import type { NatsLink } from '../../bus/nats-connection.ts'
import type { Clock } from '../../protocol/clock.ts'
import { streamOf } from './jetstream-bucket.ts'
import type { LedgerEntry } from './ledger.ts'

/** A watch over which nothing happens says so this often. */
const HEARTBEAT_MS = 500
/** After so many of HEARTBEAT_MS in which nothing at all came it is set up anew. */
const SILENCES = 3
const AGAIN_MS = 250
/** The server forgets a watch that nobody listens to. */
const FORGOTTEN_AFTER_MS = 10_000

export interface WatchParts {
  readonly link: NatsLink
  readonly clock: Clock
  readonly manager: JetStreamManager
  readonly bucket: string
}

/** What one consumer of the server sends to one inbox: numbered from 1, without holes. */
interface Delivery {
  readonly subscription: Subscription
  readonly inbox: string
  /** The number of the message that came last. */
  delivered: number
}

/**
 * All that is written to a bucket, from the newest value of each key on, in order. A consumer of the server sends it; when that falls silent, loses
 * something or is gone with its server, the next one goes on after the last revision that was told. The library's own ordered consumer is not
 * used: once it has set itself up anew it notices a silence only after a minute.
 */
export class JetStreamWatch {
  readonly #parts: WatchParts
  readonly #hear: (entry: LedgerEntry) => void
  /** Of what subjects have before their keys. */
  readonly #prefixLength: number
  /** The last revision that was told. */
  #told = 0
  #delivery: Delivery | null = null
  #silences = 0
  #cancel: () => void = () => {}
  readonly #forgetLink: () => void
  #isOver = false
  /** Resolves `start`, until what is there is told. */
  #begun: (() => void) | null = null

  /** Resolves, once what is there is told, with the function that ends it; it waits for as long as NATS does not answer. */
  static async start(parts: WatchParts, hear: (entry: LedgerEntry) => void): Promise<() => void> {
    const watch = new JetStreamWatch(parts, hear)
    await new Promise<void>((resolve) => {
      watch.#begun = resolve
      watch.#begin()
    })
    return () => watch.#end()
  }

  private constructor(parts: WatchParts, hear: (entry: LedgerEntry) => void) {
    this.#parts = parts
    this.#hear = hear
    this.#prefixLength = `$KV.${parts.bucket}.`.length
    // A server that was lost has forgotten the watch, or soon will.
    this.#forgetLink = parts.link.onChange(({ is }) => {
      if (is === 'connected') this.#begin()
    })
  }

  #end(): void {
    this.#isOver = true
    this.#cancel()
    this.#forgetLink()
    this.#stopDelivery()
  }

  #stopDelivery(): void {
    this.#delivery?.subscription.unsubscribe()
    this.#delivery = null
  }

  /** Sets it up anew; without a connection, once there is one. */
  #begin(): void {
    const { link, clock } = this.#parts
    this.#cancel()
    this.#stopDelivery()
    if (this.#isOver || !link.isConnected) return
    const delivery = this.#subscribe()
    this.#delivery = delivery
    this.#ask(delivery.inbox).then(
      (pending) => {
        if (this.#delivery !== delivery) return
        if (pending === 0) this.#haveBegun()
        this.#silences = 0
        this.#listenForSilence()
      },
      () => {
        if (this.#delivery === delivery) this.#cancel = clock.after(AGAIN_MS, () => this.#begin())
      },
    )
  }

  /** Resolves with how many messages are to come for what is there. */
  async #ask(inbox: string): Promise<number> {
    const { manager, bucket } = this.#parts
    const from =
      this.#begun && this.#told === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject, filter_subject: `$KV.${bucket}.>` }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#told + 1 }
    const { num_pending } = await manager.consumers.add(streamOf(bucket), {
      ...from,
      deliver_subject: inbox,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      num_replicas: 1,
      mem_storage: true,
    })
    return num_pending
  }

  #subscribe(): Delivery {
    const { connection } = this.#parts.link
    const inbox = createInbox()
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        // An error is noticed as silence.
        if (this.#delivery === delivery && !error) this.#receive(delivery, message)
      },
    })
    const delivery: Delivery = { subscription, inbox, delivered: 0 }
    return delivery
  }

  #receive(delivery: Delivery, message: Msg): void {
    const place = placeOf(message.reply ?? '')
    // Without a place it is a heartbeat, which says how many messages went before it, or the end of the consumer.
    const before = place ? place.delivered - 1 : Number(message.headers?.get('Nats-Last-Consumer') || -1)
    if (before !== delivery.delivered) {
      this.#begin()
      return
    }
    this.#silences = 0
    if (!place) return
    delivery.delivered = place.delivered
    if (place.revision > this.#told) {
      this.#told = place.revision
      this.#hear({
        key: message.subject.slice(this.#prefixLength),
        value: isDeletion(message) ? null : message.string(),
        revision: place.revision,
      })
    }
    if (place.pending === 0) this.#haveBegun()
  }

  #haveBegun(): void {
    this.#begun?.()
    this.#begun = null
  }

  /** Counts timers, and does not look at the clock: after a pause of the process one of them is due, and then what came meanwhile is read. */
  #listenForSilence(): void {
    this.#cancel()
    this.#cancel = this.#parts.clock.after(HEARTBEAT_MS, () => {
      this.#silences += 1
      if (this.#silences >= SILENCES) this.#begin()
      else this.#listenForSilence()
    })
  }
}

const isDeletion = ({ headers }: Msg): boolean =>
  headers !== undefined && (headers.get('KV-Operation') !== '' || headers.get('Nats-Marker-Reason') !== '')

/** Where a message stands, by the subject that would acknowledge it; null where it is not one of a consumer. Pure. */
const placeOf = (reply: string): { revision: number; delivered: number; pending: number } | null => {
  const parts = reply.split('.')
  if (parts[0] !== '$JS' || parts[1] !== 'ACK') return null
  // $JS.ACK.[domain.account.]stream.consumer.times.revision.delivered.time.pending[.token]
  const at = parts.length === 9 ? 5 : 7
  const [revision, delivered, , pending] = parts.slice(at, at + 4).map(Number)
  return revision === undefined || delivered === undefined || pending === undefined
    ? null
    : { revision, delivered, pending }
}
