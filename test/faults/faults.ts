import type { NatsServer } from '../nats-server.ts'
import type { Cluster, Member, Role } from './cluster.ts'
import type { SmallDisk } from './small-disk.ts'

/** Something that breaks, and what mends it. */
export interface Fault {
  readonly what: string
  /** Processes that it kills. */
  readonly kills: number
  /** Whether play goes on before it is mended. */
  readonly othersGoOn: boolean
  /** Resolves with what mends it, which resolves once it is mended. */
  strike(cluster: Cluster): Promise<() => Promise<void>>
}

const NAMES: Readonly<Record<Role, string>> = { engine: 'an engine', gateway: 'a gateway', media: 'a media node' }

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const pick = <T>(from: readonly T[]): T => {
  const one = from[Math.floor(Math.random() * from.length)]
  if (one === undefined) throw new Error('there is nothing to break')
  return one
}
const memberOf = ({ members }: Cluster, role: Role): Member => pick(members.filter((member) => member.role === role))

/** Any process of this role, without warning; another one takes its place. */
export const killed = (role: Role): Fault => ({
  what: `kill -9 of ${NAMES[role]}`,
  kills: 1,
  othersGoOn: true,
  async strike(cluster) {
    const member = memberOf(cluster, role)
    await member.program.kill('SIGKILL')
    return () => member.restart()
  },
})

/** Asked to stop, as a deployment does. */
export const stopped = (role: 'engine' | 'gateway'): Fault => ({
  what: `SIGTERM to ${NAMES[role]}`,
  kills: 0,
  othersGoOn: true,
  async strike(cluster) {
    const member = memberOf(cluster, role)
    const code = await member.program.kill('SIGTERM')
    if (code !== 0) throw new Error(`it ended with ${code}:\n${member.program.output()}`)
    return () => member.restart()
  },
})

/** Standing still for so long, then going on as if nothing had been. */
export const paused = (role: 'engine' | 'gateway', ms: number): Fault => ({
  what: `${NAMES[role]} paused for ${ms / 1000} s`,
  kills: 0,
  othersGoOn: false,
  async strike(cluster) {
    const { pid } = memberOf(cluster, role).program
    process.kill(pid, 'SIGSTOP')
    await wait(ms)
    return async () => void process.kill(pid, 'SIGCONT')
  },
})

/** Cut off from every NATS server, with nobody told. */
export const cutOff = (role: 'engine' | 'gateway', ms: number): Fault => ({
  what: `${NAMES[role]} cut off for ${ms / 1000} s`,
  kills: 0,
  othersGoOn: false,
  async strike(cluster) {
    const { links } = memberOf(cluster, role)
    for (const link of links) link.cut()
    await wait(ms)
    return async () => {
      for (const link of links) link.heal()
    }
  },
})

/** The NATS server that leads this stream: where there is one only, all of NATS. */
export const leaderKilled = (stream: string, what: string): Fault => ({
  what: `kill -9 of the NATS server that leads ${what}`,
  kills: 1,
  othersGoOn: true,
  async strike(cluster) {
    const server = await cluster.leader(stream)
    await server.kill()
    return () => server.restart()
  },
})

export const leaderPaused = (stream: string, what: string, ms: number): Fault => ({
  what: `the NATS server that leads ${what} paused for ${ms / 1000} s`,
  kills: 0,
  othersGoOn: false,
  async strike(cluster) {
    const server: NatsServer = await cluster.leader(stream)
    await server.pause()
    await wait(ms)
    return async () => server.resume()
  },
})

/** The disk of the only NATS server, which stops keeping anything then, and has to be started again. */
export const diskFull = (disk: SmallDisk): Fault => ({
  what: 'the disk of the log full for 5 s',
  kills: 0,
  othersGoOn: false,
  async strike({ nats }) {
    disk.fill()
    await wait(5_000)
    return async () => {
      disk.free()
      await Promise.all(nats.map((server) => server.restart()))
    }
  },
})

/** All of NATS. */
export const allGone = (ms: number): Fault => ({
  what: `all NATS servers down for ${ms / 1000} s`,
  kills: 3,
  othersGoOn: false,
  async strike({ nats }) {
    await Promise.all(nats.map((server) => server.kill()))
    await wait(ms)
    return async () => void (await Promise.all(nats.map((server) => server.restart())))
  },
})
