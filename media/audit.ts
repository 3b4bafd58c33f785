import type { PlayerId, Role } from '../protocol/frames.ts'
import type { Source } from './sources.ts'
import type { Stage } from './stage.ts'

/** What one consumer carries. */
export interface ConsumerAudit {
  viewer: PlayerId
  role: Role
  player: PlayerId
  source: Source
  /** Whether the policy grants it now, and whether the client wants it: it flows where both are true. */
  granted: boolean
  wanted: boolean
  /** Sent to the viewer so far. */
  bytes: number
}

/** What every consumer of a room carries, also those that the policy holds back: for operators, who may know. Those that end meanwhile are left out. */
export const auditOf = async ({ consumers, peers, tracks }: Stage): Promise<ConsumerAudit[]> => {
  const rows = [...consumers.values()].map(async ({ peer, track, granted, wanted, consumer }) => {
    const viewer = peers.get(peer)?.viewer
    const { player, source } = tracks.get(track) ?? {}
    const stats = await consumer.getStats().catch(() => null)
    if (viewer === undefined || player === undefined || source === undefined || stats === null) return []
    const bytes = stats.reduce((total, { type, byteCount }) => (type === 'outbound-rtp' ? total + byteCount : total), 0)
    return [{ viewer: viewer.player, role: viewer.role, player, source, granted, wanted, bytes }]
  })
  return (await Promise.all(rows)).flat()
}
