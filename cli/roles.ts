import type { Registry } from 'prom-client'
import type { Chance, Clock } from '../protocol/clock.ts'
import type { Config } from './config.ts'
import type { Logger } from './log.ts'

/** What the roles need from the outermost edge. */
export interface Surroundings {
  config: Config
  log: Logger
  metrics: Registry
  clock: Clock
  chance: Chance
}

/** The roles of one process at work together. */
export interface Running {
  /** Where clients connect: `http://localhost:3000`; null where no gateway runs here. */
  readonly url: string | null
  isReady(): boolean
  /** As `Ground.moveOn`. */
  moveOn(): void
  /** For `GET /admin/status`. */
  status(): object
  /** For `GET /admin/media/ROOM`. */
  media(room: string): Promise<object | null>
  /** Tells clients to come back, lets appends in flight finish, hands over and closes. */
  stop(): Promise<void>
}

/** Starts the roles; resolves once they serve. Rejects with CannotStart where the configuration does not let them. */
export type Compose = (surroundings: Surroundings) => Promise<Running>
