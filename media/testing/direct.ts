import type { Consumer, Producer, RtpCapabilities, RtpParameters } from 'mediasoup/types'
import { realClock } from '../../cli/real.ts'
import type { OpenLink } from '../link.ts'
import { linkWithoutHandshake } from './link.ts'

const VP8 = 101
const OPUS = 100

/** What a client that publishes sends, in plain RTP. */
export const rtpParametersOf = (kind: 'audio' | 'video', ssrc: number): RtpParameters => ({
  codecs: [
    kind === 'video'
      ? { mimeType: 'video/VP8', payloadType: VP8, clockRate: 90_000, parameters: {}, rtcpFeedback: [] }
      : { mimeType: 'audio/opus', payloadType: OPUS, clockRate: 48_000, channels: 2, parameters: {}, rtcpFeedback: [] },
  ],
  headerExtensions: kind === 'audio' ? [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 10 }] : [],
  encodings: [{ ssrc }],
  rtcp: { cname: 'test' },
})

export const RECEIVES_ALL: RtpCapabilities = {
  codecs: [
    { kind: 'audio', mimeType: 'audio/opus', preferredPayloadType: 100, clockRate: 48_000, channels: 2 },
    { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: 101, clockRate: 90_000 },
  ],
  headerExtensions: [],
}

/** Transports without a network: a test writes RTP into producers, and counts what consumers put out. */
export class DirectLinks {
  readonly producers = new Map<string, Producer>()
  readonly consumers = new Map<string, Consumer>()
  /** Packets that came out of each consumer. */
  readonly packets = new Map<string, number>()
  onPacket: (consumer: string) => void = () => {}
  readonly #sequence = new Map<string, number>()

  readonly open: OpenLink = async (router) => {
    const transport = await router.createDirectTransport()
    transport.observer.on('newproducer', (producer) => this.producers.set(producer.id, producer))
    transport.observer.on('newconsumer', (consumer) => {
      this.consumers.set(consumer.id, consumer)
      consumer.on('rtp', () => {
        this.packets.set(consumer.id, this.received(consumer.id) + 1)
        this.onPacket(consumer.id)
      })
    })
    return linkWithoutHandshake(transport)
  }

  received(consumer: string): number {
    return this.packets.get(consumer) ?? 0
  }

  /** Resolves once all that was pushed before has come out, or will not. */
  async drained(): Promise<void> {
    for (const producer of this.producers.values()) if (!producer.closed) await producer.dump()
    // Packets are handed over in a loop turn after the one in which the answer above is.
    await new Promise<void>((resolve) => realClock.soon(() => realClock.soon(resolve)))
  }

  /** One packet of this track: a key frame of its own, or sound at 20 dB below full. */
  push(track: string): void {
    const producer = this.producers.get(track)
    const ssrc = producer?.rtpParameters.encodings?.[0]?.ssrc
    if (producer === undefined || ssrc === undefined) throw new Error(`no track ${track}`)
    if (producer.closed) return
    const sequence = ((this.#sequence.get(track) ?? 0) + 1) & 0xffff
    this.#sequence.set(track, sequence)
    producer.send(producer.kind === 'video' ? videoPacket(ssrc, sequence) : audioPacket(ssrc, sequence))
  }
}

const header = (
  payloadType: number,
  ssrc: number,
  sequence: number,
  timestamp: number,
  hasExtension: boolean,
): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt8(hasExtension ? 0x90 : 0x80, 0)
  bytes.writeUInt8(0x80 | payloadType, 1)
  bytes.writeUInt16BE(sequence, 2)
  bytes.writeUInt32BE(timestamp, 4)
  bytes.writeUInt32BE(ssrc, 8)
  return bytes
}

/** VP8: the payload descriptor's start bit, then a key frame's header. */
export const videoPacket = (ssrc: number, sequence: number): Buffer =>
  Buffer.concat([
    header(VP8, ssrc, sequence, sequence * 3_000, false),
    Buffer.from([0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]),
    Buffer.alloc(80, 7),
  ])

/** With the audio level as a one-byte header extension: 20 below full, voice. */
const audioPacket = (ssrc: number, sequence: number): Buffer =>
  Buffer.concat([
    header(OPUS, ssrc, sequence, sequence * 960, true),
    Buffer.from([0xbe, 0xde, 0x00, 0x01, (10 << 4) | 0, 0x80 | 20, 0x00, 0x00]),
    Buffer.alloc(40, 9),
  ])
