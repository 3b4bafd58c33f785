import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer extends AsyncDisposable {
  readonly port: number
}

/**
 * Passes each TCP connection on to the next of these ports in turn, and to the one after where nobody listens: a balancer
 * without stickiness, and without a thought.
 */
export const startBalancer = async (ports: () => readonly number[]): Promise<Balancer> => {
  let turn = 0
  const open = new Set<Socket>()
  const pass = (client: Socket, left: readonly number[]): void => {
    const [port, ...others] = left
    if (port === undefined) return void client.destroy()
    const server = connect(port, '127.0.0.1')
    open.add(server)
    server.once('close', () => open.delete(server))
    server.once('error', () => pass(client, others))
    server.once('connect', () => {
      server.removeAllListeners('error')
      client.pipe(server)
      server.pipe(client)
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
  }
  const listener = createServer((client) => {
    open.add(client)
    client.once('close', () => open.delete(client))
    client.on('error', () => client.destroy())
    const all = ports()
    turn += 1
    pass(client, [...all.slice(turn % all.length), ...all.slice(0, turn % all.length)])
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
