import { createCipheriv } from 'node:crypto'
import type { RtpCapabilities, RtpParameters, SrtpParameters } from 'mediasoup/types'

const VP8 = 101
const OPUS = 100
const LEVEL_EXTENSION = 10
const TAG_BYTES = 16
const HEADER_BYTES = 12

/** The master key and salt under which the generator sends: what is measured is the work of it, not the secret. */
const MASTER = Buffer.alloc(28, 'madang media bench')
export const SRTP: SrtpParameters = { cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: MASTER.toString('base64') }

/** Returns the session key of RFC 3711 (4.3.1) for a label. Pure. */
const derived = (label: number, bytes: number): Buffer => {
  const iv = Buffer.alloc(16)
  MASTER.copy(iv, 0, 16, 28)
  iv.writeUInt8(iv.readUInt8(7) ^ label, 7)
  return createCipheriv('aes-128-ctr', MASTER.subarray(0, 16), iv).update(Buffer.alloc(bytes))
}
const KEY = derived(0, 16)
const SALT = derived(2, 12)

export interface StreamShape {
  kind: 'audio' | 'video'
  /** Of a packet, before encryption. */
  bytes: number
  perSecond: number
}

/** 500 kbit/s. */
export const VIDEO_500: StreamShape = { kind: 'video', bytes: 1_200, perSecond: 52 }
/** 300 kbit/s. */
export const VIDEO_300: StreamShape = { kind: 'video', bytes: 1_200, perSecond: 31 }
/** 40 kbit/s, a packet each 20 ms. */
export const AUDIO_40: StreamShape = { kind: 'audio', bytes: 100, perSecond: 50 }

const FEEDBACK = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }]

/** What a client that publishes says of a stream. */
export const rtpParametersOf = (kind: StreamShape['kind'], ssrc: number): RtpParameters => ({
  codecs: [
    kind === 'video'
      ? { mimeType: 'video/VP8', payloadType: VP8, clockRate: 90_000, parameters: {}, rtcpFeedback: FEEDBACK }
      : { mimeType: 'audio/opus', payloadType: OPUS, clockRate: 48_000, channels: 2, parameters: {}, rtcpFeedback: [] },
  ],
  headerExtensions:
    kind === 'audio' ? [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: LEVEL_EXTENSION }] : [],
  encodings: [{ ssrc }],
  rtcp: { cname: `bench-${ssrc}` },
})

export const RECEIVES: RtpCapabilities = {
  codecs: [
    { kind: 'audio', mimeType: 'audio/opus', preferredPayloadType: OPUS, clockRate: 48_000, channels: 2 },
    { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: VP8, clockRate: 90_000, rtcpFeedback: FEEDBACK },
  ],
  headerExtensions: [],
}

/** VP8: the payload descriptor's start bit, then a key frame's header; so every packet is a frame at which a consumer may begin. */
const KEY_FRAME = Buffer.from([0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00])

/** The packets of one RTP stream, encrypted as `SRTP` says (RFC 7714). */
export class Stream {
  readonly ssrc: number
  readonly shape: StreamShape
  /** The audio level that its packets carry, in dB below full. */
  level = 127
  #index = 0

  constructor(ssrc: number, shape: StreamShape) {
    this.ssrc = ssrc
    this.shape = shape
  }

  next(): Buffer {
    const { kind, bytes, perSecond } = this.shape
    const index = this.#index++
    const isVideo = kind === 'video'
    const header = Buffer.alloc(isVideo ? HEADER_BYTES : HEADER_BYTES + 8)
    header.writeUInt8(isVideo ? 0x80 : 0x90, 0)
    header.writeUInt8((isVideo ? 0x80 : 0) | (isVideo ? VP8 : OPUS), 1)
    header.writeUInt16BE(index & 0xffff, 2)
    header.writeUInt32BE(Math.round((index * (isVideo ? 90_000 : 48_000)) / perSecond) >>> 0, 4)
    header.writeUInt32BE(this.ssrc, 8)
    if (!isVideo) Buffer.from([0xbe, 0xde, 0, 1, LEVEL_EXTENSION << 4, 0x80 | this.level, 0, 0]).copy(header, 12)
    const payload = Buffer.alloc(bytes - header.length, 7)
    if (isVideo) KEY_FRAME.copy(payload)
    return this.#sealed(header, payload, index)
  }

  #sealed(header: Buffer, payload: Buffer, index: number): Buffer {
    const iv = Buffer.alloc(12)
    iv.writeUInt32BE(this.ssrc, 2)
    iv.writeUIntBE(index, 6, 6)
    for (let i = 0; i < iv.length; i++) iv[i] = (iv[i] ?? 0) ^ (SALT[i] ?? 0)
    const cipher = createCipheriv('aes-128-gcm', KEY, iv, { authTagLength: TAG_BYTES }).setAAD(header)
    return Buffer.concat([header, cipher.update(payload), cipher.final(), cipher.getAuthTag()])
  }
}
