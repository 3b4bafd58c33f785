import type { Socket } from './socket.ts'

/** Which HTTP streams hear which topic: uWebSockets.js knows of WebSockets alone. */
export class Topics {
  readonly #topics = new Map<string, Set<Pick<Socket, 'send'>>>()

  subscribe(topic: string, socket: Pick<Socket, 'send'>): void {
    const sockets = this.#topics.get(topic)
    if (sockets) sockets.add(socket)
    else this.#topics.set(topic, new Set([socket]))
  }

  unsubscribe(topic: string, socket: Pick<Socket, 'send'>): void {
    const sockets = this.#topics.get(topic)
    sockets?.delete(socket)
    if (sockets?.size === 0) this.#topics.delete(topic)
  }

  publish(topic: string, bytes: Uint8Array): void {
    const sockets = this.#topics.get(topic)
    // A copy: one that takes no more leaves.
    if (sockets) for (const socket of [...sockets]) socket.send(bytes)
  }
}
