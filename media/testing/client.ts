import { z } from 'zod'
import type { MediaCall } from '../../bus/media-messages.ts'
import { KIND_OF, type Source } from '../sources.ts'
import { RECEIVES_ALL, rtpParametersOf } from './direct.ts'
import type { StandInEngine } from './engine.ts'

const State = z.object({
  peer: z.string(),
  v: z.number(),
  tracks: z.array(
    z.object({ track: z.string(), player: z.string(), source: z.string(), kind: z.string(), muted: z.boolean() }),
  ),
  mine: z.array(z.object({ track: z.string(), source: z.string(), muted: z.boolean(), unseen: z.boolean() })),
})
const Joined = z.object({ peer: z.string(), send: z.unknown(), receive: z.object({ id: z.string() }), state: State })

/** A member that is on video through calls to an engine. Each method rejects with the code of a refusal. */
export class Client {
  readonly who: MediaCall['peer']
  readonly #engine: StandInEngine
  #ssrc = 1_000

  constructor(engine: StandInEngine, who: MediaCall['peer']) {
    this.#engine = engine
    this.who = who
  }

  async call(method: string, params: unknown = {}): Promise<unknown> {
    const answer = await this.#engine.call(this.who, method, params)
    if ('refused' in answer) throw new Error(answer.refused.code)
    return answer.value
  }

  async join() {
    return Joined.parse(await this.call('join'))
  }

  /** The track's id. */
  async publish(source: Source, muted = false): Promise<string> {
    this.#ssrc++
    const kind = KIND_OF[source]
    const rtpParameters = rtpParametersOf(kind, this.#ssrc)
    return z.object({ track: z.string() }).parse(await this.call('produce', { kind, source, rtpParameters, muted }))
      .track
  }

  /** Receives a track; the consumer's id. */
  async watch(track: string): Promise<string> {
    const { consumer } = z
      .object({ consumer: z.string() })
      .parse(await this.call('consume', { track, rtpCapabilities: RECEIVES_ALL }))
    await this.call('resume', { consumer })
    return consumer
  }

  /** All that it may know now. */
  async state(peer: string) {
    return State.parse(await this.call('state', { peer, v: 0 }))
  }

  /** What it was told of its state, in order. */
  get states() {
    return this.#engine.told(this.who, 'state').map((state) => State.parse(state))
  }
}
