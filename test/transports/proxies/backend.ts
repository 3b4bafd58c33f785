import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { listening, type Middlebox } from './middlebox.ts'

export interface Backend extends Middlebox {
  /** Of the last request: its headers as they arrived. */
  headers(): NodeJS.Dict<string | string[]>
  /** Answers to `/stream` that are open. */
  streaming(): number
  /** Writes one line into each of them. */
  say(line: string): void
  /** Ends them. */
  finish(): void
}

/** A server for tests of proxies: `/echo` answers with the body, `/stream` with lines for as long as somebody listens, a WebSocket with its messages. */
export const backend = async (): Promise<Backend> => {
  let headers: NodeJS.Dict<string | string[]> = {}
  const streams = new Set<{ write(text: string): void; end(): void }>()
  const server = createServer((from, to) => {
    headers = from.headers
    if (from.url === '/echo') return void from.pipe(to)
    to.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    streams.add(to)
    to.on('close', () => streams.delete(to))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('message', (bytes, isBinary) => socket.send(bytes, { binary: isBinary }))
    socket.on('error', () => {})
  })
  return {
    ...(await listening(server)),
    headers: () => headers,
    streaming: () => streams.size,
    say(line) {
      for (const stream of streams) stream.write(`${line}\n`)
    },
    finish() {
      for (const stream of streams) stream.end()
    },
  }
}
