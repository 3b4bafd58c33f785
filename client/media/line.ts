import type { Chance, Clock } from '../../protocol/clock.ts'
import type { MadangError } from '../error.ts'
import type { RtcPeer } from './rtc.ts'
import type { Signals } from './signals.ts'

/** One peer at a media node, from its join to its end, as those see it who send and receive over it. */
export interface Line {
  readonly clock: Clock
  readonly chance: Chance
  readonly signals: Signals
  readonly rtc: RtcPeer
  /** False once another peer took its place, or none: what is under way then counts no more. */
  readonly live: boolean
  /** Something was not found: is the peer itself still there? */
  doubt(): void
}

/** What kind of refusal this is: ask again later, ask whether the peer is still there, or leave it. Pure. */
export const refusalOf = ({ code }: MadangError): 'later' | 'doubt' | 'final' => {
  if (code === 'unavailable' || code === 'rate_limited') return 'later'
  return code === 'not_found' ? 'doubt' : 'final'
}
