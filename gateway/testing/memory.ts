import type { Clock } from '../../protocol/clock.ts'
import type { CloseCode } from '../../protocol/errors.ts'
import type { Gateway } from '../gateway.ts'
import type { Origin, Peer, Publish, Socket } from '../socket.ts'

const HARD_LIMIT_BYTES = 1_048_576
/** What a client sees whose connection broke without a close frame. */
const ABNORMAL = 1006

/** The client's end of a socket in memory. */
export interface MemoryClient {
  /** Hears each frame, in order, after the gateway's turn has ended. */
  onFrame: (frame: Uint8Array) => void
  onClose: (code: number, reason: string) => void
  send(frame: Uint8Array): void
  sendText(): void
  /** Stops taking what the gateway sends, until `resume`. */
  pause(): void
  resume(): void
  /** Leaves; with 1006 as a connection that broke. */
  close(code?: number): void
}

export interface MemoryEdge {
  publish: Publish
  connect(gateway: Pick<Gateway, 'open'>, origin?: Partial<Origin>): MemoryClient
}

interface End {
  socket: Socket
  topics: Set<string>
}

/** Returns an edge whose sockets are in this process: the twin of `uws.ts` for tests. */
export const memoryEdge = (clock: Clock): MemoryEdge => {
  const ends = new Set<End>()

  const publish: Publish = (topic, bytes) => {
    for (const { socket, topics } of [...ends]) if (topics.has(topic)) socket.send(bytes)
  }

  const connect: MemoryEdge['connect'] = (gateway, { token = null, address = '127.0.0.1' } = {}) => {
    const topics = new Set<string>()
    let buffer: Uint8Array[] = []
    let buffered = 0
    let paused = false
    let scheduled = false
    let closing: { code: number; reason: string } | null = null
    let told = false

    const hand = () => {
      scheduled = false
      if (paused) return
      const frames = buffer
      const hadBuffered = buffered > 0
      buffer = []
      buffered = 0
      for (const frame of frames) client.onFrame(frame)
      if (closing && !told) {
        told = true
        client.onClose(closing.code, closing.reason)
      } else if (hadBuffered && !closing) peer.drained()
    }
    const wake = () => {
      if (scheduled) return
      scheduled = true
      clock.soon(hand)
    }
    const finish = (code: number, reason: string) => {
      if (closing) return
      closing = { code, reason }
      ends.delete(end)
      peer.closed(code)
      wake()
    }
    const socket: Socket = {
      send(bytes) {
        if (closing) return false
        if (buffered > HARD_LIMIT_BYTES) {
          peer.dropped()
          return false
        }
        buffer.push(bytes)
        buffered += bytes.length
        wake()
        return true
      },
      bufferedAmount: () => (paused ? buffered : 0),
      ping() {
        if (!paused) clock.soon(() => peer.alive())
      },
      cork: (task) => task(),
      subscribe: (topic) => void topics.add(topic),
      unsubscribe: (topic) => void topics.delete(topic),
      end: (code: CloseCode, reason) => finish(code, reason),
      cut() {
        buffer = []
        buffered = 0
        finish(ABNORMAL, '')
      },
    }
    const end: End = { socket, topics }
    ends.add(end)
    const client: MemoryClient = {
      onFrame: () => {},
      onClose: () => {},
      send(frame) {
        if (closing) return
        const message = frame.slice()
        peer.binary(message)
        // uWS takes its message back, too.
        message.fill(0xc1)
      },
      sendText() {
        if (!closing) peer.text()
      },
      pause() {
        paused = true
      },
      resume() {
        paused = false
        wake()
      },
      close(code = 1000) {
        told = true
        finish(code, '')
      },
    }
    const peer: Peer = gateway.open(socket, { token, address })
    return client
  }

  return { publish, connect }
}
