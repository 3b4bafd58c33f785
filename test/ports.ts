import { portProblem } from '../media/ports.ts'

/** Below the ports that systems give to outgoing connections, one of which could take a server's before it listens, or while it is down. */
const PORTS = { from: 12_000, to: 32_000 }

const given = new Set<number>()

/** A port of loopback that is free over TCP and UDP, and that this process was not given before. */
export const freePort = async (): Promise<number> => {
  const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
  if (given.has(port) || (await portProblem('127.0.0.1', port)) !== null) return await freePort()
  given.add(port)
  return port
}
