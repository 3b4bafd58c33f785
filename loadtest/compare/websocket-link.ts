import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { masked, Wire } from '../bench/wire.ts'
import { upgradeHeaders } from './headers.ts'
import { headAt } from './heads.ts'
import type { Link, LinkOptions } from './link.ts'

/** As the protocol asks of clients. */
const PING_MS = 10_000

/** Opens a WebSocket, says HELLO and JOINs; resolves with the OK of the JOIN. */
export const openWebSocket = async ({ seat, since, ref, tally, on, phase }: LinkOptions): Promise<Link> => {
  const { port, address, token, session, room } = seat
  const wire = await Wire.open(port, '/v1/ws', address, upgradeHeaders(port))
  const { socket } = wire
  tally.connections += 1
  tally.messagesUp += 1
  tally.messagesDown += 1
  tally.bytesUp += socket.bytesWritten
  tally.bytesDown += socket.bytesRead
  socket.on('data', (chunk) => (tally.bytesDown += chunk.length))
  const send = (frame: Uint8Array): void => {
    const framed = masked(frame)
    tally.messagesUp += 1
    tally.bytesUp += framed.length
    wire.write(framed)
  }
  let pings: NodeJS.Timeout | undefined
  const ping = (): void => {
    send(encode([OP.ping, Date.now()]))
    pings = setTimeout(ping, PING_MS)
  }

  const joined = Promise.withResolvers<void>()
  let isClosed = false
  const fail = (why: string): void => {
    joined.reject(new Error(why))
    if (!isClosed) on.failed(why)
  }
  socket.on('close', () => {
    clearTimeout(pings)
    fail(`the WebSocket ended: ${wire.ended}`)
  })
  wire.onMessage = (bytes, at, end) => {
    tally.messagesDown += 1
    const head = headAt(bytes, at)
    if (head === null) {
      const op = bytes[at + 1]
      if (op === OP.welcome) send(encode([OP.join, ref, room, since > 0 ? { since } : null]))
      else if (op === OP.err || op === OP.bye)
        fail(JSON.stringify(decode(Buffer.from(bytes.subarray(at, end)), SERVER_LIMITS)))
    } else if ('shown' in head) on.shown(head.shown)
    else {
      on.answered(head.ref, head.value)
      if (head.ref === ref) joined.resolve()
    }
  }
  send(encode([OP.hello, { v: 1, token, session }]))
  await joined.promise
  pings = setTimeout(ping, phase * PING_MS)
  return {
    send,
    close() {
      isClosed = true
      clearTimeout(pings)
      wire.cut()
    },
  }
}
