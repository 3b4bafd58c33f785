import type { Peer } from './peer.ts'

/** What the server sees of a peer's own traffic: nothing of a track that it may not receive now. Rejects where the peer ends meanwhile. */
export const statsOf = async (peer: Peer) => {
  const send = [...peer.tracks.values()].map(async (track) => {
    const streams = await track.getStats()
    return {
      track: track.id,
      source: track.source,
      bytes: sum(streams.map(({ byteCount }) => byteCount)),
      packetsLost: sum(streams.map(({ packetsLost }) => packetsLost)),
      score: Math.min(10, ...streams.map(({ score }) => score)),
      bitrate: sum(streams.map(({ bitrate }) => bitrate)),
    }
  })
  const receive = [...peer.receptions.values()]
    .filter(({ granted }) => granted)
    .map(async ({ id, track, wanted, consumer }) => {
      const streams = (await consumer.getStats()).filter(({ type }) => type === 'outbound-rtp')
      return {
        consumer: id,
        track,
        bytes: sum(streams.map(({ byteCount }) => byteCount)),
        bitrate: sum(streams.map(({ bitrate }) => bitrate)),
        score: Math.min(10, ...streams.map(({ score }) => score)),
        paused: !wanted,
      }
    })
  return { send: await Promise.all(send), receive: await Promise.all(receive) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
