import type { PipeTransport } from 'mediasoup/types'
import type { MediaPipeEnd } from '../bus/media-messages.ts'
import type { Seat } from './seat.ts'

/** One end of the way between two nodes of a room, both ways: it is connected once, to one other end. */
export class Pipe {
  readonly seat: Seat
  readonly transport: PipeTransport
  #to: string | null = null

  constructor(seat: Seat, transport: PipeTransport) {
    this.seat = seat
    this.transport = transport
  }

  /** The id of the other end; null while it is not connected. */
  get to(): string | null {
    return this.#to
  }

  get end(): MediaPipeEnd {
    const { id, tuple, srtpParameters } = this.transport
    if (srtpParameters === undefined) throw new Error(`pipe ${id} is not encrypted`)
    return { id, to: this.#to, ip: tuple.localAddress, port: tuple.localPort, srtp: srtpParameters }
  }

  /** Rejects where the worker has ended, or the other end is none that can be reached. */
  async connect({ id, ip, port, srtp }: MediaPipeEnd): Promise<void> {
    this.#to = id
    await this.transport.connect({ ip, port, srtpParameters: srtp })
  }

  close(): void {
    this.transport.close()
  }
}

/** Rejects where the worker has ended. */
export const openPipe = async (seat: Seat): Promise<Pipe> => new Pipe(seat, await seat.worker.createPipe(seat.router))
