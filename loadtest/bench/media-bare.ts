/** The reference of the media's benchmarks: mediasoup and nothing else. It makes rooms as the bench asks for them over IPC, on one worker. */
import { createWorker } from 'mediasoup'
import { findMediaWorker } from '../../cli/media-worker.ts'
import { CODECS } from '../../media/codecs.ts'
import { plainTransport } from './media-links.ts'
import { RECEIVES, rtpParametersOf, type StreamShape } from './media-rtp.ts'

/** Who sends which streams, and how many others receive all of them; those who send receive each other. */
export interface Asked {
  players: readonly (readonly { ssrc: number; kind: StreamShape['kind'] }[])[]
  spectators: number
}

/** Ports of the transports, in the order of who was asked for: players first. */
export interface Made {
  send: number[]
  receive: number[]
}

const found = findMediaWorker(process.env)
if (found.is !== 'ready')
  throw new Error('the media worker is not prepared: run npm start once, or set MEDIASOUP_WORKER_BIN')
const worker = await createWorker({ workerBin: found.path, logLevel: 'error' })

const make = async ({ players, spectators }: Asked): Promise<Made> => {
  const router = await worker.createRouter({ mediaCodecs: CODECS })
  const sent = []
  const send: number[] = []
  for (const streams of players) {
    const transport = await plainTransport(router)
    send.push(transport.tuple.localPort)
    for (const { ssrc, kind } of streams) {
      const producer = await transport.produce({ kind, rtpParameters: rtpParametersOf(kind, ssrc) })
      sent.push({ producer, by: streams })
    }
  }
  const receive: number[] = []
  for (const viewer of [...players, ...Array.from({ length: spectators }, () => null)]) {
    const transport = await plainTransport(router)
    receive.push(transport.tuple.localPort)
    for (const { producer, by } of sent)
      if (by !== viewer) await transport.consume({ producerId: producer.id, rtpCapabilities: RECEIVES })
  }
  return { send, receive }
}

process.on('message', async ({ id, do: what, given }: { id: number; do: string; given: Asked }) => {
  if (what === 'workers') process.send?.({ id, value: [worker.pid] })
  if (what === 'make') process.send?.({ id, value: await make(given) })
})
process.once('SIGTERM', () => {
  worker.once('subprocessclose', () => process.exit(0))
  worker.close()
})
console.log('mediasoup is ready: http://127.0.0.1:0')
