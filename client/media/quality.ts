import type { ReceiverCount } from './rtc.ts'
import type { Quality } from './types.ts'

/** Shares of the packets that were lost. */
const LOST = { fair: 0.03, poor: 0.1 }
/** Shares of the time in which the picture stood. */
const FROZEN = { fair: 0.05, poor: 0.25 }

/**
 * How well a track arrived in the `ms` between two counts. Null where nothing came of sound: then nobody speaks. A picture of which nothing comes
 * is poor. Pure.
 */
export const qualityOf = (
  kind: 'audio' | 'video',
  before: ReceiverCount | null,
  now: ReceiverCount,
  ms: number,
): Quality | null => {
  const packets = now.packets - (before?.packets ?? 0)
  const lost = Math.max(0, now.packetsLost - (before?.packetsLost ?? 0))
  if (packets <= 0) return kind === 'audio' ? null : 'poor'
  const share = lost / (packets + lost)
  const frozen = kind === 'audio' ? 0 : ((now.frozen - (before?.frozen ?? 0)) * 1_000) / ms
  const stands = kind === 'video' && now.framesDecoded === (before?.framesDecoded ?? 0)
  if (stands || share > LOST.poor || frozen > FROZEN.poor) return 'poor'
  return share > LOST.fair || frozen > FROZEN.fair ? 'fair' : 'good'
}

const ORDER: readonly Quality[] = ['poor', 'fair', 'good']

/** The worst of those that say something. Pure. */
export const worst = (qualities: readonly (Quality | null)[]): Quality | null =>
  ORDER.find((quality) => qualities.includes(quality)) ?? null
