import type { PlainTransport, Router } from 'mediasoup/types'
import type { OpenLink } from '../../media/link.ts'
import { SRTP } from './media-rtp.ts'

/**
 * A transport for a generator that speaks no DTLS: SRTP with a key that is known, to the address that the first packet comes from.
 * Beside WebRTC it lacks ICE, DTLS and the estimate of the bandwidth; a packet is decrypted, forwarded and encrypted alike.
 */
export const plainTransport = async (router: Router): Promise<PlainTransport> => {
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    rtcpMux: true,
    comedia: true,
    enableSrtp: true,
    srtpCryptoSuite: SRTP.cryptoSuite,
  })
  await transport.connect({ srtpParameters: SRTP })
  return transport
}

/** The same as a media node takes it: its port is in the only candidate. */
export const openPlain: OpenLink = async (router) => {
  const transport = await plainTransport(router)
  const { localPort: port } = transport.tuple
  return {
    transport,
    offer: {
      id: transport.id,
      iceParameters: { usernameFragment: '', password: '' },
      iceCandidates: [
        {
          foundation: 'plain',
          priority: 1,
          ip: '127.0.0.1',
          address: '127.0.0.1',
          port,
          protocol: 'udp',
          type: 'host',
        },
      ],
      dtlsParameters: { fingerprints: [] },
    },
    connect: async () => {},
    restart: async () => ({ usernameFragment: '', password: '' }),
    async measure() {
      const [stats] = await transport.getStats()
      return { in: stats?.recvBitrate ?? 0, out: stats?.sendBitrate ?? 0 }
    },
  }
}
