import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** The system gives a port that is free over UDP: it may be taken over TCP, and then it is asked for another, so many times. */
const TRIES = 20

/** Why UDP and TCP of this port (0: of any) cannot both be had now, as the system's error code (`EADDRINUSE`); null where they can. */
export const portProblem = async (ip: string, port: number): Promise<string | null> => {
  const tried = await tryPort(ip, port)
  return typeof tried === 'string' ? tried : null
}

/** A port of which UDP and TCP are both free now. Rejects where there is none: the address is not this machine's. */
export const freePort = async (ip: string): Promise<number> => {
  const tried = await tryPort(ip, 0)
  if (typeof tried === 'string') throw new Error(`no port is free for media on ${ip}: ${tried}`)
  return tried
}

/** The port of which both were had, or why they were not. */
const tryPort = async (ip: string, port: number, tries = port === 0 ? TRIES : 1): Promise<number | string> => {
  const bound = await bindUdp(ip, port)
  if ('problem' in bound) return bound.problem
  const problem = await bindTcp(ip, bound.port)
  await bound.close()
  if (problem === null) return bound.port
  return tries > 1 ? tryPort(ip, port, tries - 1) : problem
}

type Bound = { port: number; close(): Promise<void> } | { problem: string }

const bindUdp = (ip: string, port: number): Promise<Bound> => {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    const close = () => new Promise<void>((closed) => socket.close(() => closed()))
    socket.once('error', (error) => {
      void close()
      resolve({ problem: codeOf(error) })
    })
    socket.bind({ address: ip, port, exclusive: true }, () => resolve({ port: socket.address().port, close }))
  })
}

const bindTcp = (ip: string, port: number): Promise<string | null> => {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(codeOf(error)))
    server.listen({ host: ip, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message)
