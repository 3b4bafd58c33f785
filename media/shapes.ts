import { z } from 'zod'

/**
 * What clients may send, within bounds that every browser stays under. Numbers and texts are checked here to the last one: the
 * worker's messages are written from them, and one that cannot be written would spoil the channel for the whole worker.
 */
const MOST_CODECS = 64
const MOST_EXTENSIONS = 64
const MOST_FEEDBACKS = 16
const MOST_PARAMETERS = 32
const MOST_ENCODINGS = 3

const text = (most: number) => z.string().max(most)
const int = (min: number, max: number) => z.number().int().min(min).max(max)
const INT32_MAX = 2 ** 31 - 1
const UINT32_MAX = 2 ** 32 - 1

const EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'urn:mediasoup:params:rtp-hdrext:packet-id',
] as const

const mimeType = z.string().regex(/^(audio|video)\/[\w.-]{1,32}$/i, 'a media type such as video/VP8')
const kind = z.enum(['audio', 'video'])
const payloadType = int(0, 127)
const extensionId = int(1, 255)
const parameters = z
  .record(text(64), z.union([text(256), int(-INT32_MAX, INT32_MAX), z.boolean()]))
  .refine((given) => Object.keys(given).length <= MOST_PARAMETERS, `at most ${MOST_PARAMETERS} parameters`)
const rtcpFeedback = z.array(z.object({ type: text(32), parameter: text(32).exactOptional() })).max(MOST_FEEDBACKS)
const uri = z.enum(EXTENSIONS)

const codec = {
  mimeType,
  clockRate: int(1, 1_000_000),
  channels: int(1, 8).exactOptional(),
  parameters: parameters.exactOptional(),
  rtcpFeedback: rtcpFeedback.exactOptional(),
}

export const rtpCapabilities = z.object({
  codecs: z.array(z.object({ ...codec, kind, preferredPayloadType: payloadType })).max(MOST_CODECS),
  headerExtensions: z
    .array(
      z.object({
        kind,
        uri,
        preferredId: extensionId,
        preferredEncrypt: z.boolean().exactOptional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).exactOptional(),
      }),
    )
    .max(MOST_EXTENSIONS)
    .exactOptional(),
})

export const rtpParameters = z.object({
  mid: text(8).exactOptional(),
  codecs: z
    .array(z.object({ ...codec, payloadType }))
    .min(1)
    .max(MOST_CODECS),
  headerExtensions: z
    .array(
      z.object({ uri, id: extensionId, encrypt: z.boolean().exactOptional(), parameters: parameters.exactOptional() }),
    )
    .max(MOST_EXTENSIONS)
    .exactOptional(),
  encodings: z
    .array(
      z.object({
        ssrc: int(1, UINT32_MAX).exactOptional(),
        rid: z
          .string()
          .regex(/^[A-Za-z0-9]{1,8}$/, '1 to 8 letters and digits')
          .exactOptional(),
        codecPayloadType: payloadType.exactOptional(),
        rtx: z.object({ ssrc: int(1, UINT32_MAX) }).exactOptional(),
        dtx: z.boolean().exactOptional(),
        scalabilityMode: z
          .string()
          .regex(/^[LS][1-3]T[1-3](_KEY)?$/, 'a scalability mode of up to three layers')
          .exactOptional(),
        maxBitrate: int(1, INT32_MAX).exactOptional(),
      }),
    )
    .min(1)
    .max(MOST_ENCODINGS),
  rtcp: z.object({ cname: text(64).exactOptional(), reducedSize: z.boolean().exactOptional() }).exactOptional(),
  msid: text(256).exactOptional(),
})

/** Bytes of each algorithm's digest. */
const DIGEST_BYTES = { 'sha-1': 20, 'sha-224': 28, 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 } as const
const fingerprint = z
  .object({
    algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
    value: z.string().regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){1,63}$/, 'bytes in hex with colons between'),
  })
  .refine(
    ({ algorithm, value }) => value.length === DIGEST_BYTES[algorithm] * 3 - 1,
    'as long as its algorithm makes it',
  )

export const dtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).exactOptional(),
  fingerprints: z.array(fingerprint).min(1).max(5),
})

export const id = z.string().min(1).max(64)
