import type { Subscription } from '@nats-io/transport-node'
import type { Chance, Clock } from '../protocol/clock.ts'
import { encode } from '../protocol/encode.ts'
import type { Bus } from './bus.ts'
import type { Message } from './messages.ts'
import type { NatsLink } from './nats-connection.ts'
import { MESSAGE_DEPTH, readMessage } from './nats-message.ts'
import { cut, isPart, Joiner, MESSAGE_MOST_BYTES, SENDER_BYTES } from './nats-parts.ts'

export interface NatsBusOptions {
  /** Stays its owner's: closing the bus leaves it open. */
  link: NatsLink
  clock: Pick<Clock, 'soon' | 'after'>
  chance: Chance
  /** Begins every subject, so that several installations may share a NATS. */
  prefix?: string
  /** Hears what a handler threw, and of messages that could be neither sent nor read. */
  onError?: (error: unknown, subject: string) => void
}

/** What NATS has not yet taken: beyond this, messages are dropped. */
const WAITING_MOST_BYTES = 16 * 1024 * 1024
/** NATS is asked after so much whether it has taken it. */
const ASK_EVERY_BYTES = 256 * 1024
const FLUSH_WITHIN_MS = 1_000
/** Where the server does not say what the largest message is. */
const PAYLOAD_MOST_BYTES = 1024 * 1024

interface Handler {
  handle: (message: Message) => void
  active: boolean
}

/** All that listens here to one subject. */
interface Channel {
  readonly handlers: Set<Handler>
  readonly subscription: Subscription
}

/**
 * A bus over NATS core. What one loop turn publishes leaves together at its end; while there is no server it is dropped.
 * Subscriptions outlive the loss of a server. Messages larger than the server takes go in parts.
 */
export class NatsBus implements Bus {
  readonly #link: NatsLink
  readonly #clock: Pick<Clock, 'soon' | 'after'>
  readonly #prefix: string
  readonly #sender: Uint8Array
  readonly #report: (error: unknown, subject: string) => void
  readonly #channels = new Map<string, Channel>()
  readonly #joiner = new Joiner()
  readonly #unfollow: () => void
  #queue: { subject: string; bytes: Uint8Array }[] = []
  #queuedBytes = 0
  /** Given to the client since NATS was last asked, and before that without an answer yet. */
  #unaskedBytes = 0
  #askedBytes = 0
  /** Rises with every loss of a server: answers of the last one do not count. */
  #losses = 0
  #cutMessages = 0
  #isDropping = false
  #isClosed = false

  constructor({ link, clock, chance, prefix = 'madang', onError }: NatsBusOptions) {
    this.#link = link
    this.#clock = clock
    this.#prefix = prefix === '' ? '' : `${prefix}.`
    this.#sender = chance.bytes(SENDER_BYTES)
    this.#report = onError ?? (() => {})
    this.#unfollow = link.onChange(({ is }) => {
      if (is === 'disconnected') this.#forgetSent()
    })
  }

  publish(subject: string, message: Message): void {
    if (this.#isClosed || !this.#link.isConnected) return
    if (this.#queuedBytes + this.#unaskedBytes + this.#askedBytes > WAITING_MOST_BYTES) {
      if (!this.#isDropping) this.#report(new Error('NATS takes messages too slowly: they are dropped'), subject)
      this.#isDropping = true
      return
    }
    this.#isDropping = false
    try {
      const bytes = encode(message, MESSAGE_DEPTH)
      if (bytes.length > MESSAGE_MOST_BYTES) throw new Error(`a message of ${bytes.length} bytes is too large to send`)
      this.#queue.push({ subject, bytes })
      this.#queuedBytes += bytes.length
    } catch (error) {
      this.#report(error, subject)
      return
    }
    if (this.#queue.length === 1) this.#clock.soon(() => this.#send())
  }

  subscribe(subject: string, handle: (message: Message) => void): () => void {
    if (this.#isClosed) return () => {}
    const channel = this.#channels.get(subject) ?? this.#open(subject)
    const handler: Handler = { handle, active: true }
    channel.handlers.add(handler)
    return () => {
      handler.active = false
      channel.handlers.delete(handler)
      if (channel.handlers.size > 0 || this.#channels.get(subject) !== channel) return
      this.#channels.delete(subject)
      channel.subscription.unsubscribe()
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unfollow()
    for (const { handlers, subscription } of this.#channels.values()) {
      for (const handler of handlers) handler.active = false
      subscription.unsubscribe()
    }
    this.#channels.clear()
    this.#send()
    if (!this.#link.isConnected) return
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(FLUSH_WITHIN_MS, resolve)
    await Promise.race([this.#link.connection.flush().catch(() => {}), late])
    cancel()
  }

  #open(subject: string): Channel {
    const handlers = new Set<Handler>()
    const subscription = this.#link.connection.subscribe(this.#prefix + subject, {
      callback: (error, { data }) => {
        if (error !== null) return this.#report(error, subject)
        // A copy: a view would keep all that was read from the socket together with it.
        const bytes = new Uint8Array(data)
        const whole = isPart(bytes) ? this.#joiner.take(bytes) : bytes
        if (whole !== null) this.#deliver(subject, handlers, whole)
      },
    })
    const channel = { handlers, subscription }
    this.#channels.set(subject, channel)
    return channel
  }

  /** Throws never: what the client's callback throws would end the connection's reading for good. */
  #deliver(subject: string, handlers: ReadonlySet<Handler>, bytes: Uint8Array): void {
    let message: Message
    try {
      message = readMessage(bytes)
    } catch (error) {
      this.#report(error, subject)
      return
    }
    for (const handler of [...handlers]) {
      if (!handler.active) continue
      try {
        handler.handle(message)
      } catch (error) {
        this.#report(error, subject)
      }
    }
  }

  #send(): void {
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    if (!this.#link.isConnected) return
    const { connection } = this.#link
    const most = connection.info?.max_payload ?? PAYLOAD_MOST_BYTES
    for (const { subject, bytes } of queue) {
      const parts = bytes.length <= most ? [bytes] : cut(bytes, most, this.#sender, this.#cutMessages++)
      try {
        for (const part of parts) connection.publish(this.#prefix + subject, part)
      } catch (error) {
        this.#report(error, subject)
      }
      this.#unaskedBytes += bytes.length
    }
    if (this.#unaskedBytes >= ASK_EVERY_BYTES) this.#ask()
  }

  #ask(): void {
    const [bytes, losses] = [this.#unaskedBytes, this.#losses]
    this.#askedBytes += bytes
    this.#unaskedBytes = 0
    const taken = () => {
      if (losses === this.#losses) this.#askedBytes -= bytes
    }
    this.#link.connection.flush().then(taken, taken)
  }

  #forgetSent(): void {
    this.#losses++
    this.#unaskedBytes = 0
    this.#askedBytes = 0
    this.#joiner.clear()
  }
}
