import type { Socket } from 'node:net'
import type { Middlebox } from './middlebox.ts'
import { tunnel } from './tunnel.ts'

/** A proxy that keeps all that goes up for `upMs` and all that goes down for `downMs`, in order. */
export const delaying = (port: number, upMs: number, downMs = upMs): Promise<Middlebox> => {
  const late = (from: Socket, to: Socket, ms: number): void => {
    from.on('data', (bytes) => setTimeout(() => to.write(bytes), ms))
    from.on('end', () => setTimeout(() => to.end(), ms))
  }
  return tunnel(port, ({ client, server }) => {
    late(client, server, upMs)
    late(server, client, downMs)
  })
}
