import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { sleep } from '../bench/figures.ts'
import { tokenOf } from '../bench/player.ts'
import { startOurs } from '../bench/server.ts'
import { masked } from '../bench/wire.ts'
import { createRoom } from './create-room.ts'
import { getHeaders, postHeaders, upgradeHeaders } from './headers.ts'
import { FRAMES, STREAM } from './http-link.ts'

/** After so long without a byte the other side has said what it had to say. */
const SILENCE_MS = 300

/** What went over one connection, in order. */
export interface Exchange {
  title: string
  turns: { up: boolean; bytes: Buffer }[]
}

/** One player enters a room over each transport and makes a move; resolves with the bytes as they were sent and as they came. */
export const captureHandshakes = async (): Promise<Exchange[]> => {
  const server = await startOurs()
  const { port } = server
  const room = await createRoom(port)
  const sender = { port, token: tokenOf('ann'), session: 'a-session-of-ann-00000' }
  const join = (ref: number) => encode([OP.join, ref, room])
  const get = (path: string, accept: string) => Buffer.from(`GET ${path} HTTP/1.1\r\n${getHeaders(sender, accept)}`)
  const post = (frame: Uint8Array) =>
    Buffer.concat([Buffer.from(`POST /v1/send HTTP/1.1\r\n${postHeaders(sender, frame.length)}`), frame])
  const upgrade =
    'GET /v1/ws HTTP/1.1\r\n' +
    `Host: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: bWFkYW5nIGxvYWQgdGVzdA==\r\n${upgradeHeaders(port)}\r\n`
  const hello = encode([OP.hello, { v: 1, token: sender.token, session: sender.session }])

  const exchanges = [
    await converse('WebSocket', port, [
      Buffer.from(upgrade),
      masked(hello),
      masked(join(1)),
      masked(encode([OP.ping, 1])),
    ]),
    await converse('What goes up over HTTP', port, [post(join(2))]),
    await converse('SSE', port, [get(`/v1/sse?room=${room}`, STREAM)]),
    // The room's log has two events by now, its creation and one who joined: the second poll brings nothing new.
    await converse('Polling, and long polling with `wait=25`', port, [
      get(`/v1/poll?room=${room}&since=0&wait=0`, FRAMES),
      get(`/v1/poll?room=${room}&since=2&wait=0`, FRAMES),
    ]),
  ]
  await server.stop()
  return exchanges
}

/** Sends each part when the other side has been silent for a while after the one before. */
const converse = async (title: string, port: number, parts: readonly Buffer[]): Promise<Exchange> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const turns: Exchange['turns'] = []
  for (const part of parts) {
    turns.push({ up: true, bytes: part })
    socket.write(part)
    turns.push({ up: false, bytes: await untilSilent(socket) })
  }
  socket.destroy()
  return { title, turns }
}

const untilSilent = async (socket: Socket): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let heard = performance.now()
  const hear = (chunk: Buffer) => {
    chunks.push(Buffer.from(chunk))
    heard = performance.now()
  }
  socket.on('data', hear)
  while (performance.now() - heard < SILENCE_MS) await sleep(20)
  socket.off('data', hear)
  return Buffer.concat(chunks)
}
