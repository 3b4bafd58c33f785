import type { VirtualClock } from '../virtual-clock.ts'
import type { Dice } from './dice.ts'
import type { Timeline } from './timeline.ts'

/** What everything in a world stands on: its time, its chance and its record. */
export interface Ground {
  readonly clock: VirtualClock
  readonly timeline: Timeline
  readonly dice: Readonly<
    Record<'bus' | 'store' | 'ledger' | 'sockets' | 'hosts' | 'faults' | 'bots' | 'programs', Dice>
  >
}
