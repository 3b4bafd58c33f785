import { observer } from 'mediasoup'
import type { DirectTransport, PipeTransport, Producer, Transport } from 'mediasoup/types'

/** What the workers of this process have made and were asked since `forget`, as mediasoup tells its observers. */
class Pipes {
  /** Every end of a pipe. */
  ends: PipeTransport[] = []
  producers: Producer[] = []
  /** Of clients that publish. */
  keyFramesAsked = 0

  forget(): void {
    this.ends = []
    this.producers = []
    this.keyFramesAsked = 0
  }

  /** All that has left through pipes. */
  async bytes(): Promise<number> {
    const stats = await Promise.all(this.ends.map((pipe) => pipe.getStats()))
    return stats.flat().reduce((sum, { rtpBytesSent }) => sum + rtpBytesSent, 0)
  }
}

export const pipes = new Pipes()

const isDirect = (transport: Transport): transport is DirectTransport => transport.type === 'direct'
const isPipe = (transport: Transport): transport is PipeTransport => transport.type === 'pipe'
/** A picture loss indication (RFC 4585, 6.3.1). */
const asksForKeyFrame = (packet: Buffer) => packet[1] === 206 && ((packet[0] ?? 0) & 0x1f) === 1

observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) =>
    router.observer.on('newtransport', (transport) => {
      if (isDirect(transport))
        transport.on('rtcp', (packet) => {
          if (asksForKeyFrame(packet)) pipes.keyFramesAsked++
        })
      if (!isPipe(transport)) return
      pipes.ends.push(transport)
      transport.observer.on('newproducer', (producer) => pipes.producers.push(producer))
    }),
  ),
)
