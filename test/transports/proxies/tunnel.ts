import { connect, createServer, type Socket } from 'node:net'
import { listening, type Middlebox } from './middlebox.ts'

/** One connection from a client, and the one to the server that belongs to it. */
export interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Resets both, as a router does that has forgotten them. */
  reset(): void
}

/** A proxy of bytes in front of a server on this machine: it knows nothing of HTTP. `link` moves the bytes of each pair. */
export const tunnel = async (port: number, link: (pair: Pair) => void): Promise<Middlebox> => {
  // An end that has nothing more to say may still be told something.
  const accepting = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    server.on('error', () => client.resetAndDestroy())
    client.on('error', () => server.destroy())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroySoon())
    link({
      client,
      server,
      reset() {
        client.resetAndDestroy()
        server.resetAndDestroy()
      },
    })
  })
  return listening(accepting)
}

/** Hands each chunk and the end of `from` on to `to`. */
export const forward = (from: Socket, to: Socket): void => {
  from.on('data', (bytes) => to.write(bytes))
  from.on('end', () => to.end())
}
