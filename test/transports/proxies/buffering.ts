import { buffer } from 'node:stream/consumers'
import { type Deliver, type ReverseProxy, reverseProxy, throughHop } from './reverse.ts'

/**
 * A proxy that hands an answer on once it has the whole of it, so that what streams never arrives. It knows no WebSocket
 * either. `head`: when the client gets status and headers.
 */
export const buffering = (port: number, head: 'at once' | 'with the body' = 'with the body'): Promise<ReverseProxy> => {
  const whole: Deliver = (answer, to) => {
    to.writeHead(answer.statusCode ?? 502, throughHop(answer.headers))
    if (head === 'at once') to.flushHeaders()
    buffer(answer).then(
      (body) => to.end(body),
      () => to.destroy(),
    )
  }
  return reverseProxy(port, 'strip', whole)
}
