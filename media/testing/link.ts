import type { Transport } from 'mediasoup/types'
import type { Link } from '../link.ts'

/** A link whose transport needs no handshake: what a client would be offered for one says nothing. */
export const linkWithoutHandshake = (transport: Transport): Link => ({
  transport,
  offer: {
    id: transport.id,
    iceParameters: { usernameFragment: 'u', password: 'p' },
    iceCandidates: [],
    dtlsParameters: { fingerprints: [] },
  },
  connect: async () => {},
  restart: async () => ({ usernameFragment: 'u', password: 'p' }),
  measure: async () => ({ in: 0, out: 0 }),
})
