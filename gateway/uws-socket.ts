import type { WebSocket } from 'uWebSockets.js'
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

/** Returns the socket that the gateway sees; uWS throws when a closed one is touched, so that none is. */
export const socketOf = (ws: WebSocket<SocketState>, state: SocketState): Socket => ({
  send: (bytes) => state.isOpen && ws.send(bytes, true) !== 2,
  bufferedAmount: () => (state.isOpen ? ws.getBufferedAmount() : 0),
  ping() {
    if (state.isOpen) ws.ping()
  },
  cork(task) {
    if (state.isOpen) ws.cork(task)
  },
  subscribe(topic) {
    if (state.isOpen) ws.subscribe(topic)
  },
  unsubscribe(topic) {
    if (state.isOpen) ws.unsubscribe(topic)
  },
  end(code, reason) {
    if (state.isOpen) ws.end(code, reason)
  },
  cut() {
    if (state.isOpen) ws.close()
  },
})
