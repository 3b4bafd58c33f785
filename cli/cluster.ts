import { CannotStart } from './cannot-start.ts'
import type { Ground } from './ground.ts'
import type { Surroundings } from './roles.ts'

/** NATS under several processes. Rejects with CannotStart where it cannot be reached, or is not as it was asked for. */
export const openCluster = async ({ config }: Surroundings): Promise<Ground> => {
  throw new CannotStart(`--nats ${config.nats?.join(',')}: not yet`)
}
