import { availableParallelism } from 'node:os'
import type { Bus } from '../bus/bus.ts'
import { MediaNode } from '../media/node.ts'
import { portProblem } from '../media/ports.ts'
import { CannotStart } from './cannot-start.ts'
import type { Config } from './config.ts'
import { findMediaWorker } from './media-worker.ts'
import type { Surroundings } from './roles.ts'

/** The media node of this process. Rejects with CannotStart where RTP cannot arrive as it was asked to. */
export const startMedia = async ({ config, log, clock, chance }: Surroundings, bus: Bus): Promise<MediaNode> => {
  const size = config.mediaWorkers ?? availableParallelism()
  const taken = await takenPort(config, size)
  if (taken !== null) log.info(`Port ${taken} is taken: media takes free ones.`)
  return new MediaNode({
    id: `m${Buffer.from(chance.bytes(6)).toString('hex')}`,
    bus,
    clock,
    chance,
    report: (level, message, fields) => log[level](fields, message),
    findWorker: () => findMediaWorker(process.env),
    size,
    listen: {
      ip: config.mediaIp,
      port: config.mediaPort,
      isPortGiven: config.isMediaPortGiven,
      announce: config.mediaAnnounce ?? null,
    },
    iceServers: config.iceServers ?? [],
  })
}

/** The first port that media should have and cannot; null where it can have all. Rejects with CannotStart where no other will do. */
const takenPort = async ({ mediaIp, mediaPort, isMediaPortGiven }: Config, size: number): Promise<number | null> => {
  for (let port = mediaPort; port < mediaPort + (mediaPort === 0 ? 1 : size); port++) {
    const problem = port > 65_535 ? 'there is none above 65535' : await portProblem(mediaIp, port)
    if (problem === null) continue
    if (problem === 'EADDRNOTAVAIL')
      throw new CannotStart(`--media-ip ${mediaIp} is no address of this machine: choose one that is.`)
    if (!isMediaPortGiven) return port
    const why = problem === 'EADDRINUSE' ? 'is taken (UDP or TCP)' : `cannot be had (${problem})`
    const range = size === 1 ? '' : ` It needs ${size} in a row, one for each worker.`
    throw new CannotStart(`--media-port: ${mediaIp}:${port} ${why}: choose another.${range}`)
  }
  return null
}
