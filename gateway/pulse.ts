import type { Connection } from './connection.ts'

const QUIET_MS = 12_000
const SILENT_MS = 25_000

/**
 * Asks peers for a sign of life that have been quiet for 12 s, and cuts those that gave none for 25 s: looking every 3 s finds a
 * dead one within 30 s. What is sent to a peer is no sign of its life, so the socket's own idle timeout does not do.
 */
export const feelPulses = (connections: ReadonlyMap<number, Connection>, now: number): void => {
  for (const { heardAt, socket } of [...connections.values()]) {
    const silence = now - heardAt
    if (silence > SILENT_MS) socket.cut()
    else if (silence > QUIET_MS) socket.ping()
  }
}
