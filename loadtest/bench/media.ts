import type { Benchmark } from './figures.ts'
import { firstFramesText, measureFirstFrames } from './media-first-frame.ts'
import { flipsText, measureFlips } from './media-flips.ts'
import { forwardingText, measureForwarding, type Servers } from './media-forwarding.ts'
import { measureRooms, roomsText } from './media-rooms.ts'
import { measureSignalling, signallingText } from './media-signalling.ts'
import { startBareMedia, startMedia } from './server.ts'

const QUICK = {
  forwarding: { shapes: [{ players: 6, spectators: 0 }], rounds: 4, ms: 1_000 },
  flips: { flips: 20, rooms: { flipping: 1, others: 1 } },
  rooms: { counts: [1, 2], rounds: 2, ms: 1_000 },
  signalling: 20,
  firstFrames: 3,
}
const WHOLE: typeof QUICK = {
  forwarding: {
    shapes: [
      { players: 6, spectators: 0 },
      { players: 12, spectators: 0 },
      { players: 12, spectators: 12 },
    ],
    rounds: 10,
    ms: 2_000,
  },
  flips: { flips: 300, rooms: { flipping: 2, others: 1 } },
  rooms: { counts: [1, 4, 8], rounds: 6, ms: 2_000 },
  signalling: 300,
  firstFrames: 15,
}

const WHAT_IS_SENT =
  'Senders and receivers of RTP are synthetic but for the first frame’s: one Node process, which encrypts as WebRTC does (SRTP, AES-128-GCM) and counts what comes without decrypting it. They come over plain transports, so ' +
  'that a packet is decrypted, forwarded and encrypted as over WebRTC; what is left out, for ours and for bare mediasoup alike, is ICE and DTLS, the estimate of each receiver’s bandwidth, its reports and requests, the one ' +
  'port that all peers share, and simulcast. Gateway, engine (on SQLite) and media node are the real ones, in one process, with one worker; signalling and first frame run on the real program over WebRTC.'

/** Runs it on fresh servers, so that none has the other's load or finds memory that the other gave back. */
const onServers = async (run: (servers: Servers) => Promise<string>): Promise<string> => {
  const servers = { bare: await startBareMedia(), ours: await startMedia() }
  const text = await run(servers)
  await Promise.all([servers.bare.stop(), servers.ours.stop()])
  return text
}

export const media: Benchmark = {
  name: 'media',
  title: 'Video: forwarding, policy, signalling, the first frame',

  async run(quick) {
    const plan = quick ? QUICK : WHOLE
    const forwarding = await onServers(async (servers) =>
      forwardingText(await measureForwarding(servers, plan.forwarding), plan.forwarding),
    )
    const flips = await onServers(async (servers) => flipsText(await measureFlips(servers, plan.flips), plan.flips))
    const rooms = await onServers(async (servers) => roomsText(await measureRooms(servers, plan.rooms), plan.rooms))
    const signalling = signallingText(await measureSignalling(plan.signalling))
    const firstFrame = firstFramesText(await measureFirstFrames(plan.firstFrames))
    return [WHAT_IS_SENT, forwarding, flips, signalling, firstFrame, rooms].join('\n\n')
  },
}
