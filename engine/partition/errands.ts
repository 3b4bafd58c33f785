import type { Bus } from '../../bus/bus.ts'
import type { Ask, EngineId, GatewayId, Item, Request, Told } from '../../bus/messages.ts'
import { resend } from '../../bus/resend.ts'
import { ASK_SUBJECT, commandSubject, gatewaySubject, partitionOf } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type MatchFrame, OP, type RoomId } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import type { Asker } from '../room/admit.ts'
import type { Answer } from '../room/batch.ts'

/** Gateways give up after 10 s, and clients send again. */
const GIVE_UP_MS = 8_000

/** Where an engine is answered. */
const addressOf = (engine: EngineId): GatewayId => `errands-${engine}`

/** Whether it is an engine that is answered there: it comes and goes as it has something to ask. */
export const isErrands = (gateway: GatewayId): boolean => gateway.startsWith(addressOf(''))

interface Errand {
  /** True once that is all. */
  readonly hear: (item: Item) => boolean
  readonly giveUp: (refusal: Refusal) => void
  readonly may: () => boolean
  cancel: () => void
}

/**
 * What one engine asks of others, as a gateway asks engines: sent again every second under its id until it is answered, and
 * answered on a gateway subject of its own. What is lost or doubled there does no harm.
 */
export class Errands {
  readonly #address: GatewayId
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #open = new Map<number, Errand>()
  readonly #unsubscribe: () => void
  #lastId = 0

  constructor(engine: EngineId, bus: Bus, clock: Clock) {
    this.#address = addressOf(engine)
    this.#bus = bus
    this.#clock = clock
    this.#unsubscribe = bus.subscribe(gatewaySubject(this.#address), (message) => {
      if (message.kind !== 'envelope') return
      for (const item of message.items) this.#hear(item)
    })
  }

  /**
   * Brings a MATCH to the owner of one room, and sends it again only while it `may`. Rejects with Refusal `unavailable` where that
   * does not answer: then it may have happened or not.
   */
  match(
    room: RoomId,
    queue: number,
    frame: MatchFrame,
    { by, name, session }: Asker,
    may: () => boolean,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const frames = [encode(frame)]
    this.#send(
      commandSubject(partitionOf(room)),
      (id) => ({
        kind: 'command',
        gateway: this.#address,
        id,
        room,
        conn: null,
        player: { id: by, name },
        session,
        queue,
        frames,
      }),
      {
        hear: (item) => {
          if (item.kind !== 'answer') return false
          for (const bytes of item.frames) resolve(answerIn(bytes))
          return item.done
        },
        giveUp: reject,
        may,
      },
    )
    return promise
  }

  /** Asks all engines, until `hear` says that it has heard enough. Rejects with Refusal `unavailable` where that does not come. */
  ask(about: Ask['about'], hear: (told: Told) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#send(ASK_SUBJECT, (id) => ({ kind: 'ask', gateway: this.#address, id, about }), {
      hear: (item) => {
        if (item.kind !== 'told' || 'refused' in item.value || !hear(item.value)) return false
        resolve()
        return true
      },
      giveUp: reject,
      may: () => true,
    })
    return promise
  }

  /** Leaves what is under way unanswered: whoever waits for it asks the next owner. */
  close(): void {
    this.#unsubscribe()
    for (const id of [...this.#open.keys()]) this.#end(id)
  }

  #send(subject: string, message: (id: number) => Request, errand: Omit<Errand, 'cancel'>): void {
    this.#lastId += 1
    const id = this.#lastId
    const open: Errand = { ...errand, cancel: () => {} }
    this.#open.set(id, open)
    open.cancel = resend(
      this.#clock,
      GIVE_UP_MS,
      () => {
        if (open.may()) this.#bus.publish(subject, message(id))
        return true
      },
      () => this.#end(id)?.giveUp(unanswered()),
    )
  }

  #hear(item: Item): void {
    if (!('id' in item)) return
    if (this.#open.get(item.id)?.hear(item)) this.#end(item.id)
  }

  #end(id: number): Errand | undefined {
    const errand = this.#open.get(id)
    errand?.cancel()
    this.#open.delete(id)
    return errand
  }
}

const unanswered = (): Refusal => new Refusal('unavailable', 'Another engine did not answer in time. Send it again.')

/** What an engine answered, read as a client would. */
const answerIn = (bytes: Uint8Array): Answer => {
  const frame = parseServerFrame(decode(bytes, SERVER_LIMITS))
  if (frame?.[0] === OP.ok) return { value: frame[2] ?? null }
  if (frame?.[0] === OP.err) return { refusal: new Refusal(frame[2], frame[3], frame[4]) }
  throw new Error('an answer to a MATCH that is neither OK nor ERR')
}
