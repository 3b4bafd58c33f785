import { portProblem } from '../media/ports.ts'

/** Below the ports that systems give to outgoing connections, one of which could take a server's before it listens, or while it is down. */
const PORTS = { from: 12_000, to: 32_000 }
/** Files of tests run side by side, each in a process that has a part of the ports for itself: none takes what another was just given. */
const PARTS = 16

const given = new Set<number>()

/** A port of loopback that is free over TCP and UDP, and that this process was not given before. */
export const freePort = async (): Promise<number> => {
  const size = Math.floor((PORTS.to - PORTS.from) / PARTS)
  const part = Number(process.env.VITEST_POOL_ID ?? 0) % PARTS
  const port = PORTS.from + part * size + Math.floor(Math.random() * size)
  if (given.has(port)) return await freePort()
  given.add(port)
  return (await portProblem('127.0.0.1', port)) === null ? port : await freePort()
}
