import { Device, type types } from 'mediasoup-client'
import { MadangError, type Room } from '../../client/client.ts'

export type Answered = { readonly value: unknown } | { readonly refused: string; readonly message: string }

const fieldsOf = (value: unknown): Record<string, unknown> => ({ ...Object(value) })

/** A client that was changed: it asks for whatever it wants, and plays whatever it gets. */
export class Intruder {
  readonly #room: Room
  #device: Device | null = null
  #receive: types.Transport | null = null
  /** Ids of tracks that it ever heard of. */
  readonly overheard = new Set<string>()
  readonly consumers: string[] = []

  constructor(room: Room) {
    this.#room = room
    room.on('note', ({ topic, data }) => {
      if (topic === 'media.state') this.#hear(data)
    })
  }

  /** What a CALL was answered with. */
  async ask(method: string, params: unknown): Promise<Answered> {
    try {
      return { value: await this.#room.call(method, params) }
    } catch (error) {
      if (error instanceof MadangError) return { refused: error.code, message: error.message }
      throw error
    }
  }

  async join(): Promise<void> {
    const joined = fieldsOf(await this.#room.call('media.join', {}))
    this.#hear(joined.state)
    this.#device = await Device.factory()
    await this.#device.load({ routerRtpCapabilities: joined.router as types.RtpCapabilities })
    this.#receive = this.#device.createRecvTransport(joined.receive as types.TransportOptions)
    const { id: transport } = this.#receive
    this.#receive.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#room.call('media.connect', { transport, dtlsParameters }).then(() => done(), failed)
    })
  }

  /** Asks for a track, and for all that comes of it. */
  async consume(track: string): Promise<Answered> {
    const answered = await this.ask('media.consume', { track, rtpCapabilities: this.#device?.recvRtpCapabilities })
    if ('refused' in answered) return answered
    const { consumer, kind, rtpParameters } = fieldsOf(answered.value)
    await this.#receive?.consume({
      id: String(consumer),
      producerId: track,
      kind: kind as types.MediaKind,
      rtpParameters: rtpParameters as types.RtpParameters,
    })
    this.consumers.push(String(consumer))
    return this.ask('media.resume', { consumer })
  }

  #hear(state: unknown): void {
    const { tracks } = fieldsOf(state)
    if (Array.isArray(tracks)) for (const { track } of tracks) this.overheard.add(track)
  }
}
