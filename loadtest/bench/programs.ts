import { type NatsServer, startNats, startNatsCluster } from '../../test/nats-server.ts'
import { sum } from './figures.ts'
import { type Cpu, cpuOf, type Server, startMadang, temporaryFolder } from './server.ts'

export const LEVELS = ['memory', 'sqlite-full', 'jetstream-r1', 'jetstream-r3', 'jetstream-r3-fsync'] as const
export type Level = (typeof LEVELS)[number]
export type LevelOnNats = Exclude<Level, 'memory' | 'sqlite-full'>

/** CPU that all processes of a kind have taken so far, µs. One process with all roles counts as an engine. */
export interface Spent {
  gateways: number
  engines: number
  nats: number
}

/** Whole programs: one process with all roles, or gateways and engines of their own on one or three nats-servers. */
export interface Programs {
  /** Of the first gateway. */
  readonly port: number
  readonly gateways: readonly Server[]
  readonly engines: Server[]
  readonly nats: readonly NatsServer[]
  /** Of one that is on NATS. */
  addEngine(): Promise<Server>
  /** Of all Madang processes together, for a load. */
  cpu(): Cpu
  spent(): Spent
  stop(): Promise<void>
}

/** On nothing that was there before. */
export const startPrograms = async (level: Level, engines = 1): Promise<Programs> => {
  if (level === 'memory') return startAlone(['--durability', level], () => {})
  if (level === 'sqlite-full') {
    const data = temporaryFolder()
    return startAlone(['--data', data.path], data.remove)
  }
  const fsync = level === 'jetstream-r3-fsync'
  const nats = level === 'jetstream-r1' ? [await startNats()] : (await startNatsCluster({ fsync })).servers
  return startOn(nats, level, engines)
}

/** One process with all roles. */
export const startAlone = async (flags: readonly string[], ended: () => void): Promise<Programs> => {
  const alone = await startMadang(flags)
  return programsOf({
    gateways: [],
    engines: [alone],
    nats: [],
    ended,
    addEngine: () => Promise.reject(new Error('one process owns all')),
  })
}

/** One gateway and so many engines on nats-servers, which stop with them. */
export const startOn = async (nats: readonly NatsServer[], level: LevelOnNats, count: number): Promise<Programs> => {
  const gateways: Server[] = []
  const engines: Server[] = []
  const url = nats.map((server) => server.url).join()
  const start = (role: 'gateway' | 'engine') => startMadang(['--nats', url, '--durability', level, '--roles', role])
  const addEngine = async () => {
    const engine = await start('engine')
    engines.push(engine)
    return engine
  }
  const programs = programsOf({ gateways, engines, nats, addEngine, ended: () => {} })
  try {
    await Promise.all(Array.from({ length: count }, addEngine))
    gateways.push(await start('gateway'))
  } catch (error) {
    await programs.stop()
    throw error
  }
  return programs
}

const programsOf = ({
  gateways,
  engines,
  nats,
  addEngine,
  ended,
}: Pick<Programs, 'gateways' | 'engines' | 'nats' | 'addEngine'> & { ended: () => void }): Programs => ({
  get port() {
    return (gateways[0] ?? engines[0])?.port ?? 0
  },
  gateways,
  engines,
  nats,
  addEngine,
  cpu: () => together([...gateways, ...engines].map((server) => server.cpu())),
  spent: () => ({
    gateways: sum(gateways.map((server) => all(server.cpu()))),
    engines: sum(engines.map((server) => all(server.cpu()))),
    nats: sum(nats.map(({ pid }) => all(cpuOf(pid)))),
  }),
  async stop() {
    await Promise.all([...gateways, ...engines].map((server) => server.kill('SIGKILL')))
    await Promise.all(nats.map((server) => server.stop()))
    ended()
  },
})

const all = ({ main, others }: Cpu): number => main + others

const together = (parts: readonly Cpu[]): Cpu => ({
  main: sum(parts.map(({ main }) => main)),
  others: sum(parts.map(({ others }) => others)),
  waited: sum(parts.map(({ waited }) => waited)),
})

export const spentBetween = (before: Spent, after: Spent): Spent => ({
  gateways: after.gateways - before.gateways,
  engines: after.engines - before.engines,
  nats: after.nats - before.nats,
})
