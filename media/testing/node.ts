import type { Bus } from '../../bus/bus.ts'
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
  const { nodes, ...rest } = startNodes(['m1'], options)
  const [at] = nodes
  if (at === undefined) throw new Error('no node')
  return { ...rest, ...at }
}

/** Several media nodes on one bus, or each on its own, and the engine of one room that all of them have part of. */
export const startNodes = (
  ids: readonly string[],
  options: Partial<MediaNodeOptions> = {},
  busOf: Readonly<Record<string, Bus>> = {},
) => {
  const clock: Clock = options.clock ?? realClock
  const failures: unknown[] = []
  const bus = options.bus ?? localBus({ onError: (error) => failures.push(error) })
  const engine = new StandInEngine(bus, clock, { nodes: ids })
  const nodes = ids.map((id) => {
    const links = new DirectLinks()
    const node = new MediaNode({
      id,
      bus: busOf[id] ?? bus,
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
    return { node, links }
  })
  open.push(async () => {
    engine.stop()
    await Promise.all(nodes.map(({ node }) => node.close()))
    await bus.close()
    if (failures.length > 0) throw failures[0]
  })
  return { bus, engine, clock, nodes }
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
