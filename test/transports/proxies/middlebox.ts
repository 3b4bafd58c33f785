import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'

/** Something on a free loopback port that stands between clients and a server: `await using proxy = …`. */
export interface Middlebox extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: what clients take for the server. */
  readonly url: string
  readonly port: number
}

/** Begins to listen; the disposal ends the server and all that is connected to it. */
export const listening = async (server: Server | NetServer): Promise<Middlebox> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // Who is connected may go at any time: the pair of sockets then ends together.
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
