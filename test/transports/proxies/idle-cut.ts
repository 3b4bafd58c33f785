import type { Middlebox } from './middlebox.ts'
import { forward, tunnel } from './tunnel.ts'

export interface IdleCut extends Middlebox {
  /** How many connections it has cut. */
  readonly cuts: number
}

/** A proxy that cuts a connection on which nothing went either way for `idleMs`. */
export const idleCut = async (port: number, idleMs: number): Promise<IdleCut> => {
  let cuts = 0
  const place = await tunnel(port, ({ client, server, reset }) => {
    const cut = (): void => {
      cuts += 1
      reset()
    }
    let timer = setTimeout(cut, idleMs)
    for (const socket of [client, server]) {
      socket.on('data', () => {
        clearTimeout(timer)
        timer = setTimeout(cut, idleMs)
      })
      socket.on('close', () => clearTimeout(timer))
    }
    forward(client, server)
    forward(server, client)
  })
  return {
    ...place,
    get cuts() {
      return cuts
    },
  }
}
