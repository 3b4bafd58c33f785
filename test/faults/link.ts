import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Link extends AsyncDisposable {
  readonly port: number
  /** Nothing passes any more, and nobody is told: as a pulled cable. */
  cut(): void
  /** What was under way is gone: connections end, and new ones pass. */
  heal(): void
  /** New connections go to another port. */
  lead(to: number): void
}

/** A way to a port that can be cut. */
export const startLink = async (port: number): Promise<Link> => {
  let isCut = false
  let to = port
  const open = new Set<Socket>()
  const listener = createServer((client) => {
    const server = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one)
      one.on('data', (bytes) => {
        if (!isCut) other.write(bytes)
      })
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        if (!isCut) other.destroy()
      })
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const end = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: (listener.address() as AddressInfo).port,
    cut() {
      isCut = true
    },
    heal() {
      isCut = false
      end()
    },
    lead(other) {
      to = other
    },
    async [Symbol.asyncDispose]() {
      end()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
