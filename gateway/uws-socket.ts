import type { WebSocket } from 'uWebSockets.js'
import type { CloseCode } from '../protocol/errors.ts'
import type { Peer, Socket } from './socket.ts'

/** What uWebSockets.js keeps for us with each WebSocket. */
export interface SocketState {
  token: string | null
  address: string
  isOpen: boolean
  /** Something was dropped, and the gateway has yet to hear of it. */
  hasDropped: boolean
  peer: Peer | null
}

/** The socket that the gateway sees; uWS throws when a closed one is touched, so that none is. */
export class UwsSocket implements Socket {
  readonly #ws: WebSocket<SocketState>
  readonly #state: SocketState

  constructor(ws: WebSocket<SocketState>, state: SocketState) {
    this.#ws = ws
    this.#state = state
  }

  send(bytes: Uint8Array): boolean {
    return this.#state.isOpen && this.#ws.send(bytes, true) !== 2
  }

  bufferedAmount(): number {
    return this.#state.isOpen ? this.#ws.getBufferedAmount() : 0
  }

  ping(): void {
    if (this.#state.isOpen) this.#ws.ping()
  }

  cork(task: () => void): void {
    if (this.#state.isOpen) this.#ws.cork(task)
  }

  subscribe(topic: string): void {
    if (this.#state.isOpen) this.#ws.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    if (this.#state.isOpen) this.#ws.unsubscribe(topic)
  }

  end(code: CloseCode, reason: string): void {
    if (this.#state.isOpen) this.#ws.end(code, reason)
  }

  cut(): void {
    if (this.#state.isOpen) this.#ws.close()
  }
}
