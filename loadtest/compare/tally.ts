/** What went over the TCP connections of some players: bytes as the sockets carried them, all headers and framing among them. */
export interface Tally {
  /** TCP connections that were opened. */
  connections: number
  /** WebSocket messages and HTTP requests. */
  messagesUp: number
  bytesUp: number
  /** WebSocket messages, HTTP responses and events of a stream. */
  messagesDown: number
  bytesDown: number
}

export const emptyTally = (): Tally => ({ connections: 0, messagesUp: 0, bytesUp: 0, messagesDown: 0, bytesDown: 0 })

/** What `after` counts beyond `before`, times `factor`. Pure. */
export const tallyBetween = (before: Tally, after: Tally, factor = 1): Tally => ({
  connections: (after.connections - before.connections) * factor,
  messagesUp: (after.messagesUp - before.messagesUp) * factor,
  bytesUp: (after.bytesUp - before.bytesUp) * factor,
  messagesDown: (after.messagesDown - before.messagesDown) * factor,
  bytesDown: (after.bytesDown - before.bytesDown) * factor,
})
