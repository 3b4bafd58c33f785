export const HTTP_TRANSPORTS = ['send', 'sse', 'longpoll', 'poll'] as const

export interface HttpCounters {
  /** Responses that are held open now. */
  open: number
  /** Requests that were let in. */
  requests: number
  /** Of bodies, before whatever HTTP and TLS add. */
  bytesIn: number
  bytesOut: number
}

/** What `/metrics` shows of one gateway. Counters only rise; `connections`, `rooms` and `open` are what there is now. */
export interface GatewayCounters {
  /** Sockets, and HTTP responses that stand for one. */
  connections: number
  /** Rooms with a member at this gateway. */
  rooms: number
  /** Sockets. */
  accepted: number
  framesIn: number
  framesOut: number
  bytesIn: number
  bytesOut: number
  rateLimited: number
  /** CASTs, NOTEs and INPUTs that were dropped under pressure or over their rate. */
  dropsEphemeral: number
  /** Envelopes that came twice or were numbered below the last one. */
  dropsDoubled: number
  /** Items of an epoch below the partition's. */
  dropsStale: number
  /** Holes in the numbers of an engine's envelopes, and engines that fell silent. */
  holes: number
  /** Members that were attached again. */
  reattached: number
  resent: number
  /** Requests that no engine answered in time. */
  unanswered: number
  /** By WebSocket close code. */
  closes: Map<number, number>
  http: Record<(typeof HTTP_TRANSPORTS)[number], HttpCounters>
}

const none = (): HttpCounters => ({ open: 0, requests: 0, bytesIn: 0, bytesOut: 0 })

export const createCounters = (): GatewayCounters => ({
  connections: 0,
  rooms: 0,
  accepted: 0,
  framesIn: 0,
  framesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  rateLimited: 0,
  dropsEphemeral: 0,
  dropsDoubled: 0,
  dropsStale: 0,
  holes: 0,
  reattached: 0,
  resent: 0,
  unanswered: 0,
  closes: new Map(),
  http: { send: none(), sse: none(), longpoll: none(), poll: none() },
})
