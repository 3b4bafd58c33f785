import type { Bus } from '../bus/bus.ts'
import type { EngineId } from '../bus/messages.ts'
import type { Storage } from '../engine/log/log.ts'
import type { Ownership } from '../engine/partition/ownership.ts'
import type { Report } from '../engine/room/writer.ts'
import type { Keys } from './data-folder.ts'

/** What the roles of a process stand on: a bus, keys and, for an engine, a log; embedded or NATS's. */
export interface Ground {
  readonly bus: Bus
  /** For the roles that need them, and no others: who has the guests' key can be anybody. Rejects with CannotStart. */
  keys(): Promise<Keys>
  /** Whether the bus reaches others now. */
  isConnected(): boolean
  /** Goes on by another way to the others, where there is one: this one may be cut off from them. */
  moveOn(): void
  /** For `GET /admin/status`. */
  status(): object
  /** What an engine needs besides; to be called once. Rejects with CannotStart. */
  forEngine(
    report: Report,
  ): Promise<{ readonly id: EngineId; readonly storage: Storage; readonly ownership: Ownership }>
  close(): Promise<void>
}
