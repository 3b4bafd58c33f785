/** A transport under comparison: a row of each table. */
export interface Row {
  readonly name: string
  readonly title: string
  readonly kind: 'websocket' | 'sse' | 'poll'
  /** From one poll to the next, ms; 0: at once after an answer, which is held meanwhile. */
  readonly everyMs: number
  /** How long the server may hold a poll. */
  readonly waitSeconds: number
}

export const WEBSOCKET: Row = { name: 'websocket', title: 'WebSocket', kind: 'websocket', everyMs: 0, waitSeconds: 0 }
export const SSE: Row = { name: 'sse', title: 'SSE', kind: 'sse', everyMs: 0, waitSeconds: 0 }
export const LONG_POLLING: Row = { name: 'longpoll', title: 'long polling', kind: 'poll', everyMs: 0, waitSeconds: 25 }
export const POLLING_250: Row = {
  name: 'poll-250',
  title: 'polling, 250 ms',
  kind: 'poll',
  everyMs: 250,
  waitSeconds: 0,
}
export const POLLING_1000: Row = {
  name: 'poll-1000',
  title: 'polling, 1 s',
  kind: 'poll',
  everyMs: 1_000,
  waitSeconds: 0,
}

/** In the order in which they are measured; each is held against the first. */
export const ROWS: readonly Row[] = [WEBSOCKET, SSE, LONG_POLLING, POLLING_250, POLLING_1000]
