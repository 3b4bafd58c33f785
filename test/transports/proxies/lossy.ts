import type { Socket } from 'node:net'
import type { Middlebox } from './middlebox.ts'
import { type Pair, tunnel } from './tunnel.ts'

export interface Lossy extends Middlebox {
  /** How many connections it has lost. */
  readonly lost: number
  /** Loses all connections that are open now. */
  cut(): void
  /** Until this is false again, each connection is reset as it comes. */
  refuses: boolean
  /** On all connections that are open now nothing goes either way any more, and neither end is told. */
  silence(): void
}

/** A proxy that loses each connection after so many bytes, up and down together, as `lifetime` says: in the middle of a request, a frame, a line. */
export const lossy = async (port: number, lifetime: () => number = () => Number.POSITIVE_INFINITY): Promise<Lossy> => {
  const pairs = new Set<Pair>()
  const silent = new WeakSet<Pair>()
  let lost = 0
  const lose = (pair: Pair): void => {
    if (pairs.delete(pair)) lost += 1
    pair.reset()
  }
  const place = await tunnel(port, (pair) => {
    const { client, server } = pair
    if (proxy.refuses) return pair.reset()
    pairs.add(pair)
    client.on('close', () => pairs.delete(pair))
    let left = lifetime()
    const isSilent = (): boolean => silent.has(pair)
    const carry = (from: Socket, to: Socket): void => {
      from.on('data', (bytes) => {
        if (isSilent()) return
        const rest = bytes.subarray(0, left)
        left -= rest.length
        if (left > 0) to.write(rest)
        else to.write(rest, () => lose(pair))
      })
      from.on('end', () => isSilent() || to.end())
    }
    carry(client, server)
    carry(server, client)
  })
  const proxy: Lossy = {
    ...place,
    get lost() {
      return lost
    },
    cut: () => {
      for (const pair of pairs) lose(pair)
    },
    silence: () => {
      for (const pair of pairs) silent.add(pair)
    },
    refuses: false,
  }
  return proxy
}
