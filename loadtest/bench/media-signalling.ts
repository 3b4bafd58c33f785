import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { until } from '../../test/program.ts'
import { fixed, percentile, table } from './figures.ts'
import { RECEIVES, rtpParametersOf } from './media-rtp.ts'
import { Player } from './player.ts'
import { startOurs } from './server.ts'
import { masked } from './wire.ts'

const FIRST_SSRC = 2_000_000
const STEPS = ['PING', 'media.state', 'media.join', 'media.produce', 'media.consume', 'media.resume'] as const
type Step = (typeof STEPS)[number]

/** How long one who joins, publishes and receives waits for each answer, ms, one request at a time. */
export const measureSignalling = async (rounds: number): Promise<Map<Step, Float64Array>> => {
  const server = await startOurs()
  const ann = await Player.enter(server.port, 1)
  const bob = await Player.enter(server.port, 2)
  const room = await ann.create('mafia')
  for (const player of [ann, bob]) await player.join(room)
  const times = new Map<Step, number[]>(STEPS.map((step) => [step, []]))
  const timed = async <T>(step: Step, ask: () => Promise<unknown>): Promise<T> => {
    const began = performance.now()
    const value = await ask()
    times.get(step)?.push(performance.now() - began)
    return value as T
  }
  const call = <T>(player: Player, step: Exclude<Step, 'PING'>, params: unknown = {}): Promise<T> =>
    timed(step, () => player.ask(OP.call, room, step, params))
  const ping = masked(encode([OP.ping, 1]))

  // The first waits for the worker's start.
  await until(
    () =>
      ann.ask(OP.call, room, 'media.join').then(
        () => true,
        () => false,
      ),
    'media',
  )
  for (const kept of times.values()) kept.length = 0
  const receiver = await call<{ peer: string }>(bob, 'media.join')
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) for (const kept of times.values()) kept.length = 0
    await timed('PING', () => {
      const pong = ann.wire.next((bytes) => bytes[1] === OP.pong)
      ann.wire.write(ping)
      return pong
    })
    await call(ann, 'media.join')
    const rtpParameters = rtpParametersOf('video', FIRST_SSRC + round)
    const { track } = await call<{ track: string }>(ann, 'media.produce', {
      kind: 'video',
      source: 'camera',
      rtpParameters,
    })
    await call(bob, 'media.state', { peer: receiver.peer, v: 0 })
    const { consumer } = await call<{ consumer: string }>(bob, 'media.consume', { track, rtpCapabilities: RECEIVES })
    await call(bob, 'media.resume', { consumer })
  }
  for (const { wire } of [ann, bob]) wire.cut()
  await server.stop()
  return new Map([...times].map(([step, kept]) => [step, Float64Array.from(kept)]))
}

export const signallingText = (times: Awaited<ReturnType<typeof measureSignalling>>): string => {
  const ping = percentile(times.get('PING') ?? new Float64Array(), 0.5)
  const rows = [...times].map(([step, values]) => [
    step === 'PING' ? step : `CALL \`${step}\``,
    fixed(values.length),
    `${fixed(percentile(values, 0.5), 2)} ms`,
    `${fixed(percentile(values, 0.99), 2)} ms`,
    `**${fixed(percentile(values, 0.5) / ping, 1)}**`,
  ])
  return [
    '### Signalling',
    'Round trips of one client over WebSocket with the real program, one after another in turn, as one who joins, publishes and is received makes them: `media.join` opens two WebRTC transports in ' +
      'the worker, `media.produce` and `media.consume` make what they say there; `media.state` and `media.resume` go through gateway, engine and node and wait for no worker.',
    table(['request', 'round trips', 'p50', 'p99', 'p50 / PING'], rows),
  ].join('\n\n')
}
