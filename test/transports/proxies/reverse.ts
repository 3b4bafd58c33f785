import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { listening, type Middlebox } from './middlebox.ts'

/** What a proxy does with `Upgrade`: hands it on and steps aside, leaves it out, or keeps the request to itself for ever. */
export type Upgrades = 'pass' | 'strip' | 'swallow'

/** Hands the server's answer on to the client. */
export type Deliver = (answer: IncomingMessage, to: ServerResponse) => void

export interface ReverseProxy extends Middlebox {
  /** Counts for the requests that come from now on. */
  upgrades: Upgrades
  /** How many requests asked for an upgrade. */
  readonly asked: number
}

/** They are about one connection, not about a request that goes over two. */
const HOP_BY_HOP = new Set(['connection', 'upgrade', 'keep-alive', 'transfer-encoding', 'te', 'trailer'])

export const throughHop = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)))

/** Each byte as it comes. */
const atOnce: Deliver = (answer, to) => {
  to.writeHead(answer.statusCode ?? 502, throughHop(answer.headers)).flushHeaders()
  pipeline(answer, to, () => {})
}

/** An HTTP proxy in front of a server on this machine, which reads each request and makes it anew. A server that is not there is a 502. */
export const reverseProxy = async (port: number, upgrades: Upgrades, deliver = atOnce): Promise<ReverseProxy> => {
  let asked = 0
  const server = createServer({ shouldUpgradeCallback: () => proxy.upgrades !== 'strip' })
  server.on('request', (from, to) => {
    if (from.headers.upgrade !== undefined) asked += 1
    const { method, url: path } = from
    const onward = request({ host: '127.0.0.1', port, method, path, headers: throughHop(from.headers), agent: false })
    onward.on('response', (answer) => deliver(answer, to))
    onward.on('error', () => (to.headersSent ? to.destroy() : to.writeHead(502).end()))
    to.on('close', () => onward.destroy())
    pipeline(from, onward, () => {})
  })
  server.on('upgrade', (from, socket, head) => {
    asked += 1
    if (proxy.upgrades === 'pass') stepAside(from, socket, head, port)
  })
  const place = await listening(server)
  const proxy: ReverseProxy = {
    ...place,
    upgrades,
    get asked() {
      return asked
    },
  }
  return proxy
}

/** From the upgrade on, bytes go through unread. */
const stepAside = ({ method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer, port: number): void => {
  const upstream = connect(port, '127.0.0.1')
  const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
  upstream.write(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  upstream.write(head)
  pipeline(socket, upstream, socket, () => {})
}
