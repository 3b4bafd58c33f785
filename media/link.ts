import type { DtlsParameters, IceCandidate, IceParameters, Router, Transport, WebRtcServer } from 'mediasoup/types'
import { INCOMING_BPS, OUTGOING_START_BPS } from './limits.ts'

export type Direction = 'send' | 'receive'

/** What a client needs to reach a transport. */
export interface Offer {
  id: string
  iceParameters: IceParameters
  iceCandidates: IceCandidate[]
  dtlsParameters: DtlsParameters
}

/** A peer's way in or out of a router. */
export interface Link {
  readonly transport: Transport
  readonly offer: Offer
  connect(dtlsParameters: DtlsParameters): Promise<void>
  restart(): Promise<IceParameters>
  /** Bits per second, as the server sees it: from the client, and to it. Rejects where the link has ended. */
  measure(): Promise<{ in: number; out: number }>
}

/** Opens a link; `direction` is as the client sees it. Rejects where the worker has ended. */
export type OpenLink = (router: Router, server: WebRtcServer, direction: Direction) => Promise<Link>

/** WebRTC over UDP, and over TCP where that is all that gets through. */
export const openWebRtc: OpenLink = async (router, server, direction) => {
  const transport = await router.createWebRtcTransport({
    webRtcServer: server,
    enableUdp: true,
    enableTcp: true,
    preferUdp: true,
    initialAvailableOutgoingBitrate: OUTGOING_START_BPS,
  })
  if (direction === 'send') await transport.setMaxIncomingBitrate(INCOMING_BPS)
  const { id, iceParameters, iceCandidates, dtlsParameters } = transport
  return {
    transport,
    offer: { id, iceParameters, iceCandidates, dtlsParameters },
    connect: (parameters) => transport.connect({ dtlsParameters: parameters }),
    restart: () => transport.restartIce(),
    async measure() {
      const [stats] = await transport.getStats()
      return { in: stats?.recvBitrate ?? 0, out: stats?.sendBitrate ?? 0 }
    },
  }
}
