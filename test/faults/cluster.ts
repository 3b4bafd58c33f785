import { type NatsCluster, type NatsServer, startNats, startNatsCluster } from '../nats-server.ts'
import { type Program, startMadang } from '../program.ts'
import { type Balancer, startBalancer } from './balancer.ts'
import { type Link, startLink } from './link.ts'

export type Role = 'gateway' | 'engine' | 'media'

/** One process of the cluster, on a link of its own to each NATS server. */
export interface Member {
  readonly role: Role
  readonly links: readonly Link[]
  program: Program
  /** Starts it again, as another process. */
  restart(): Promise<void>
}

export interface ClusterOptions {
  readonly gateways: number
  readonly engines: number
  readonly media?: number
  /** NATS servers. */
  readonly nats: 1 | 3
  /** Where the only NATS server keeps its streams. */
  readonly store?: string
}

/** Real programs of every role on real NATS servers, behind a balancer. */
export interface Cluster extends AsyncDisposable {
  /** Where clients connect: each connection at the next gateway. */
  readonly url: string
  readonly members: readonly Member[]
  readonly nats: readonly NatsServer[]
  /** The server that leads a stream. */
  leader(stream: string): Promise<NatsServer>
  /** Where a program of the test reaches NATS itself. */
  readonly natsUrl: string
}

export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { gateways, engines, media = 0, nats: size, store } = options
  const nats = size === 3 ? await startNatsCluster() : await startNatsAlone(store)
  const members: Member[] = []
  let balancer: Balancer | null = null
  const stop = async () => {
    await balancer?.[Symbol.asyncDispose]()
    await Promise.all(members.map(({ program }) => program.kill('SIGKILL')))
    await Promise.all(members.flatMap(({ links }) => links.map((link) => link[Symbol.asyncDispose]())))
    await nats.stop()
  }
  const add = async (role: Role): Promise<void> => {
    const links = await Promise.all(nats.servers.map(({ port }) => startLink(port)))
    const url = links.map(({ port }) => `nats://127.0.0.1:${port}`).join(',')
    const args = ['--nats', url, '--roles', role, '--durability', `jetstream-r${size}`, '--log-level', 'info']
    const more = role === 'media' ? ['--media-port', '0', '--media-workers', '1'] : []
    const program = await startMadang([...args, ...more])
    const member: Member = {
      role,
      links,
      program,
      async restart() {
        member.program = await startMadang([...args, ...more], { port: member.program.port })
      },
    }
    members.push(member)
  }
  try {
    // A gateway is ready once it hears an engine.
    await Promise.all(Array.from({ length: engines }, () => add('engine')))
    await Promise.all([
      ...Array.from({ length: gateways }, () => add('gateway')),
      ...Array.from({ length: media }, () => add('media')),
    ])
    balancer = await startBalancer(() =>
      members.flatMap(({ role, program }) => (role === 'gateway' ? [program.port] : [])),
    )
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `http://127.0.0.1:${balancer.port}`,
    members,
    nats: nats.servers,
    natsUrl: nats.url,
    leader: nats.leader,
    [Symbol.asyncDispose]: stop,
  }
}

/** One server, which leads all of its streams. */
const startNatsAlone = async (store: string | undefined): Promise<NatsCluster> => {
  const server = await startNats(store === undefined ? {} : { store })
  const stop = () => server.stop()
  return { servers: [server], url: server.url, leader: async () => server, stop, [Symbol.asyncDispose]: stop }
}
