import type { Message } from './messages.ts'

/**
 * At-most-once publish and subscribe, with the guarantees of NATS core and no more: messages from one
 * publisher to one subscriber keep their order, any of them may be lost, none is delivered inside `publish`.
 * Messages are immutable once published: the in-process bus hands over the same object.
 */
export interface Bus {
  /** Sends and forgets. Never throws; a message that cannot be sent is lost. */
  publish(subject: string, message: Message): void
  /** Calls `handler` for each message on exactly this subject; returns the function that ends it. */
  subscribe(subject: string, handler: (message: Message) => void): () => void
  close(): Promise<void>
}
