import { localBus } from '../../bus/local.ts'
import { realChance, realClock } from '../../cli/real.ts'
import type { Clock } from '../../protocol/clock.ts'
import { MediaNode, type MediaNodeOptions } from '../node.ts'
import { DirectLinks } from './direct.ts'
import { StandInEngine } from './engine.ts'

const open: (() => Promise<void>)[] = []

/** A media node with real workers, the engine of one room, and transports without a network. `endAll` ends it. */
export const startNode = (options: Partial<MediaNodeOptions> = {}) => {
  const clock: Clock = options.clock ?? realClock
  const failures: unknown[] = []
  const bus = options.bus ?? localBus({ onError: (error) => failures.push(error) })
  const links = new DirectLinks()
  const engine = new StandInEngine(bus, clock, { node: 'm1' })
  const node = new MediaNode({
    id: 'm1',
    bus,
    clock,
    chance: realChance,
    report: () => {},
    findWorker: () => ({ is: 'ready', path: workerPath() }),
    size: 1,
    listen: { ip: '127.0.0.1', port: 0, isPortGiven: false, announce: null },
    iceServers: [],
    openLink: links.open,
    ...options,
  })
  open.push(async () => {
    engine.stop()
    await node.close()
    await bus.close()
    if (failures.length > 0) throw failures[0]
  })
  return { bus, links, engine, node, clock }
}

export const endAll = async (): Promise<void> => {
  for (const end of open.splice(0)) await end()
}

const workerPath = (): string => {
  const path = process.env.MEDIASOUP_WORKER_BIN
  if (path === undefined) throw new Error('set MEDIASOUP_WORKER_BIN to the media worker program')
  return path
}
