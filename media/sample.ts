import { OVER_SAMPLES, TOO_MUCH_BPS } from './limits.ts'
import type { Link } from './link.ts'
import type { Peer } from './peer.ts'
import type { Report } from './report.ts'
import type { Stage } from './stage.ts'

/** Looks how much each peer of a room sends and receives, and ends those that send far more than they were asked to. */
export const sample = (stage: Stage, report: Report): void => {
  for (const peer of stage.peers.values()) void measure(peer).then(() => police(stage, peer, report))
}

const measure = async (peer: Peer): Promise<void> => {
  const [sent, received] = await Promise.all([bitrateOf(peer.send), bitrateOf(peer.receive)])
  peer.bitrate = { in: sent.in, out: received.out }
}

const police = (stage: Stage, peer: Peer, report: Report): void => {
  peer.over = peer.bitrate.in > TOO_MUCH_BPS ? peer.over + 1 : 0
  if (peer.over < OVER_SAMPLES) return
  report('warn', 'a peer sends far more than it may: it is put out', {
    player: peer.viewer.player,
    bps: peer.bitrate.in,
  })
  stage.end(peer)
}

const bitrateOf = (link: Link | null): Promise<{ in: number; out: number }> => {
  const nothing = { in: 0, out: 0 }
  return link === null ? Promise.resolve(nothing) : link.measure().catch(() => nothing)
}
