import { KIND_OF } from './sources.ts'

/** One track per source: a newer one takes the place of the older. */
export const TRACKS_PER_PEER = Object.keys(KIND_OF).length
/** Tracks of others that one peer receives, or received and may receive again: those that it may not receive now give way first. */
export const CONSUMERS_PER_PEER = 128
/** Tabs and devices of one player in one room; the one that was silent longest gives way. */
export const PEERS_PER_PLAYER = 4
export const PEERS_PER_ROOM = 1_000
/** Calls of one session that wait for the one before. */
export const CALLS_WAITING = 64
/** Answers that are kept for retries, per session. */
export const ANSWERS_KEPT = 256

/** What a peer is asked to stay under, all its tracks together: a camera in three layers, a screen and sound. */
export const INCOMING_BPS = 6_000_000
/** Whoever sends more than this for `OVER_SAMPLES` samples does not listen: the peer ends. */
export const TOO_MUCH_BPS = 2 * INCOMING_BPS
export const OVER_SAMPLES = 2
/** Where the estimate of a receiver's bandwidth begins: the smallest pictures of a full table come at once, and a slow line is not flooded. */
export const OUTGOING_START_BPS = 2_000_000

/**
 * Consumers of one worker above which a room's next peers go to another one, and to another node where all are so: about what one core forwards at 500 kbit/s each, with
 * room to spare for those who come to peers that are there already.
 */
export const CONSUMERS_PER_WORKER = 400

/** A client calls media.state every 5 s: after three that did not come the peer ends. */
export const SILENCE_MS = 15_000
