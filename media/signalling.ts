import { z } from 'zod'
import type { MediaCall } from '../bus/media-messages.ts'
import { Refusal } from '../protocol/errors.ts'
import { INCOMING_BPS, TRACKS_PER_PEER } from './limits.ts'
import type { Peer } from './peer.ts'
import { asked, noPeer } from './refusals.ts'
import type { Session } from './session.ts'
import * as shapes from './shapes.ts'
import { KIND_OF } from './sources.ts'
import type { Stage } from './stage.ts'
import { statsOf } from './stats.ts'

/** A STUN or TURN server that clients are told. */
export interface IceServer {
  urls: string
  username?: string
  credential?: string
}

/** Whose call it is, and where. */
interface Scene {
  caller: MediaCall['peer']
  session: Session
  stage: Stage
  iceServers: readonly IceServer[]
}

interface Method {
  /** Its effect is nothing: a retry may do it again. */
  onlyReads: boolean
  /** Rejects with Refusal. */
  run(scene: Scene, params: unknown): Promise<unknown>
}

const checked = <T>(shape: z.ZodType<T>, params: unknown): T => {
  const result = shape.safeParse(params ?? {})
  if (result.success) return result.data
  const [issue] = result.error.issues
  const at = issue?.path.join('.') ?? ''
  throw new Refusal(
    'invalid_payload',
    `${at === '' ? '' : `${at}: `}${issue?.message ?? 'not well-formed'}`.slice(0, 200),
  )
}

/** A method of those who have joined. */
const ofPeer = <T>(
  shape: z.ZodType<T>,
  run: (peer: Peer, params: T, stage: Stage) => Promise<unknown>,
  onlyReads = false,
): Method => ({
  onlyReads,
  async run({ session, stage }, params) {
    const given = checked(shape, params)
    if (session.peer === null) throw noPeer()
    return run(session.peer, given, stage)
  },
})

const ownTrack = (peer: Peer, id: string) => {
  const track = peer.ownTrack(id)
  if (track === null) throw new Refusal('forbidden', 'not a track of yours')
  return track
}

const linkOf = (peer: Peer, id: string) => {
  const link = peer.linkOf(id)
  if (link === null) throw new Refusal('not_found', 'not a transport of yours')
  return link
}

const NOTHING = z.object({})
const consumer = shapes.id

/** By the name of the CALL; docs/protocol.md says what each is for. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries<Method>({
    'media.join': {
      onlyReads: false,
      async run({ caller, session, stage, iceServers }, params) {
        checked(NOTHING, params)
        if (session.peer !== null) stage.end(session.peer)
        const peer = await stage.join({ player: caller.player, role: caller.role }, caller.session)
        session.peer = peer
        return {
          peer: peer.id,
          router: peer.seat.router.rtpCapabilities,
          iceServers,
          send: peer.send?.offer ?? null,
          receive: peer.receive.offer,
          limits: { tracks: TRACKS_PER_PEER, bandwidth: INCOMING_BPS },
          state: peer.state,
        }
      },
    },

    'media.connect': ofPeer(
      z.object({ transport: shapes.id, dtlsParameters: shapes.dtlsParameters }),
      async (peer, { transport, dtlsParameters }) => {
        const link = linkOf(peer, transport)
        await asked(link.connect(dtlsParameters), () => link.transport.closed)
        return null
      },
    ),

    'media.produce': ofPeer(
      z.object({
        kind: z.enum(['audio', 'video']),
        source: z.enum(['camera', 'microphone', 'screen', 'screen-audio']),
        rtpParameters: shapes.rtpParameters,
        muted: z.boolean().default(false),
      }),
      async (peer, { kind, source, rtpParameters, muted }, stage) => {
        if (KIND_OF[source] !== kind) throw new Refusal('invalid_payload', `kind: a ${source} is ${KIND_OF[source]}`)
        // Else sound could come as a picture to those who may see and not hear.
        if (!rtpParameters.codecs.every(({ mimeType }) => mimeType.toLowerCase().startsWith(`${kind}/`)))
          throw new Refusal('invalid_payload', `rtpParameters.codecs: not all are ${kind}`)
        const { id } = await stage.produce(peer, source, rtpParameters, muted)
        return { track: id }
      },
    ),

    'media.mute': ofPeer(z.object({ track: shapes.id, muted: z.boolean() }), async (peer, { track, muted }, stage) => {
      stage.mute(ownTrack(peer, track), muted)
      return null
    }),

    'media.close': ofPeer(z.object({ track: shapes.id }), async (peer, { track }, stage) => {
      stage.unpublish(ownTrack(peer, track))
      return null
    }),

    'media.consume': ofPeer(
      z.object({ track: shapes.id, rtpCapabilities: shapes.rtpCapabilities }),
      async (peer, { track: id, rtpCapabilities }, stage) => {
        const { track, reception } = await stage.consume(peer, id, rtpCapabilities)
        const { kind, rtpParameters } = reception.consumer
        return { consumer: reception.id, track: track.id, kind, rtpParameters }
      },
    ),

    // These say the same of a consumer that has ended: when a track that is hidden ends, nobody is to know.
    'media.resume': ofPeer(z.object({ consumer }), async (peer, { consumer: id }, stage) => {
      stage.want(peer, id, true)
      return null
    }),
    'media.suspend': ofPeer(z.object({ consumer }), async (peer, { consumer: id }, stage) => {
      stage.want(peer, id, false)
      return null
    }),
    'media.layers': ofPeer(
      z.object({ consumer, spatial: z.int().min(0).max(2), temporal: z.int().min(0).max(2).exactOptional() }),
      async (peer, { consumer: id, spatial, temporal }) => {
        const layers = { spatialLayer: spatial, ...(temporal === undefined ? {} : { temporalLayer: temporal }) }
        await peer.receptions.get(id)?.prefer(layers)
        return null
      },
    ),

    'media.restart': ofPeer(z.object({ transport: shapes.id }), async (peer, { transport }) => {
      const link = linkOf(peer, transport)
      return { iceParameters: await asked(link.restart(), () => link.transport.closed) }
    }),

    'media.stats': ofPeer(NOTHING, (peer) => statsOf(peer), true),

    'media.state': ofPeer(
      z.object({ peer: shapes.id, v: z.int().min(0) }),
      async (peer, { peer: id, v }, stage) => {
        if (peer.id !== id) throw noPeer()
        peer.refresh(stage.tracks)
        return peer.state.v === v ? { v } : peer.state
      },
      true,
    ),

    'media.leave': {
      onlyReads: false,
      async run({ session, stage }, params) {
        checked(NOTHING, params)
        if (session.peer !== null) stage.end(session.peer)
        return null
      },
    },
  }),
)
