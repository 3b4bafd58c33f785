import { Device, type types } from 'mediasoup-client'
import { encodingsOf, hintOf, soundOf } from './encodings.ts'
import type { Receiver, ReceiverCount, Rtc, RtcListener, RtcPeer, Sender } from './rtc.ts'
import type { Consumed, Direction, Joined } from './signals.ts'
import type { Source } from './types.ts'

type Sending = { source: Source; muted: boolean }

const isSending = (appData: types.AppData): appData is Sending => 'source' in appData && 'muted' in appData

/** WebRTC of this browser, by mediasoup-client. */
export const rtc: Rtc = {
  stream: () => new MediaStream(),
  open: async (joined, listener) => {
    const device = await Device.factory()
    await device.load({ routerRtpCapabilities: joined.router })
    return new MediasoupPeer(device, joined, listener)
  },
}

class MediasoupPeer implements RtcPeer {
  readonly ids: RtcPeer['ids']
  readonly #device: Device
  readonly #send: types.Transport<Sending> | null
  readonly #receive: types.Transport

  constructor(device: Device, { send, receive, iceServers }: Joined, listener: RtcListener) {
    this.#device = device
    this.ids = { send: send?.id ?? null, receive: receive.id }
    this.#send = send && device.createSendTransport({ ...send, iceServers })
    this.#receive = device.createRecvTransport({ ...receive, iceServers })
    this.#send?.on('produce', ({ kind, rtpParameters, appData }, callback, errback) => {
      if (!isSending(appData)) return errback(new Error('a track without a source'))
      const { source, muted } = appData
      listener.produce({ kind, source, rtpParameters, muted }).then((id) => callback({ id }), errback)
    })
    if (this.#send) this.#watch('send', this.#send, listener)
    this.#watch('receive', this.#receive, listener)
  }

  get capabilities(): types.RtpCapabilities {
    return this.#device.recvRtpCapabilities
  }

  async send(source: Source, track: MediaStreamTrack, muted: boolean): Promise<Sender> {
    if (this.#send === null) throw new Error('this peer only receives')
    if (track.contentHint === '') track.contentHint = hintOf(source)
    const isPicture = source === 'camera' || source === 'screen'
    const codec = this.#device.sendRtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType.toLowerCase() === 'video/vp8',
    )
    const producer = await this.#send.produce<Sending>({
      track,
      streamId: source.startsWith('screen') ? 'screen' : 'camera',
      ...(isPicture
        ? { encodings: encodingsOf(source, track.getSettings().height), ...(codec && { codec }) }
        : { codecOptions: soundOf(source) }),
      stopTracks: false,
      disableTrackOnPause: false,
      zeroRtpOnPause: true,
      appData: { source, muted },
    })
    return new MediasoupSender(producer, track)
  }

  async receive({ consumer: id, track, kind, rtpParameters }: Consumed, stream: string): Promise<Receiver> {
    const consumer = await this.#receive.consume({ id, producerId: track, kind, rtpParameters, streamId: stream })
    return {
      track: consumer.track,
      count: async () => (consumer.closed ? null : countOf(await consumer.getStats())),
      close: () => consumer.close(),
    }
  }

  async restart(direction: Direction, iceParameters: types.IceParameters): Promise<void> {
    const transport = direction === 'send' ? this.#send : this.#receive
    await transport?.restartIce({ iceParameters })
  }

  close(): void {
    this.#send?.close()
    this.#receive.close()
  }

  #watch(direction: Direction, transport: types.Transport | types.Transport<Sending>, listener: RtcListener): void {
    transport.on('connect', ({ dtlsParameters }, callback, errback) => {
      listener.connect(transport.id, dtlsParameters).then(callback, errback)
    })
    transport.on('connectionstatechange', (state) => {
      if (state !== 'new' && state !== 'closed') listener.changed(direction, state)
    })
  }
}

class MediasoupSender implements Sender {
  readonly #producer: types.Producer
  #track: MediaStreamTrack

  constructor(producer: types.Producer, track: MediaStreamTrack) {
    this.#producer = producer
    this.#track = track
  }

  get id(): string {
    return this.#producer.id
  }

  get track(): MediaStreamTrack {
    return this.#track
  }

  async replace(track: MediaStreamTrack): Promise<void> {
    await this.#producer.replaceTrack({ track })
    this.#track = track
  }

  flow(on: boolean): void {
    if (this.#producer.closed || on !== this.#producer.paused) return
    if (on) this.#producer.resume()
    else this.#producer.pause()
  }

  async bytes(): Promise<number> {
    if (this.#producer.closed) return 0
    let bytes = 0
    for (const stats of (await this.#producer.getStats()).values()) {
      if (stats.type === 'outbound-rtp') bytes += stats.bytesSent ?? 0
    }
    return bytes
  }

  close(): void {
    this.#producer.close()
  }
}

/** `probator` is what mediasoup probes the bandwidth with, which is nobody's track. */
const countOf = (report: RTCStatsReport): ReceiverCount | null => {
  for (const stats of report.values()) {
    if (stats.type !== 'inbound-rtp' || stats.mid === 'probator') continue
    return {
      bytes: stats.bytesReceived ?? 0,
      packets: stats.packetsReceived ?? 0,
      packetsLost: stats.packetsLost ?? 0,
      framesDecoded: stats.framesDecoded ?? 0,
      frameWidth: stats.frameWidth ?? 0,
      frameHeight: stats.frameHeight ?? 0,
      frozen: stats.totalFreezesDuration ?? 0,
      audioEnergy: stats.totalAudioEnergy ?? 0,
    }
  }
  return null
}
