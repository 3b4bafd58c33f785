import { localBus } from '../../bus/local.ts'
import { findMediaWorker } from '../../cli/media-worker.ts'
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
    findWorker: preparedWorker,
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

/** The worker that `npm test` prepares. */
export const preparedWorker = () => {
  const worker = findMediaWorker(process.env)
  if (worker.is !== 'ready') throw new Error(worker.is === 'failed' ? worker.problem : 'the media worker is not ready')
  return worker
}
