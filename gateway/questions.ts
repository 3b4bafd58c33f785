import {
  type Ask,
  type EngineId,
  type GatewayId,
  LISTED_MOST,
  type RoomListing,
  type Told,
  type ToldItem,
} from '../bus/messages.ts'
import { ASK_SUBJECT, commandSubject, partitionOf } from '../bus/subjects.ts'
import type { Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import type { RoomId } from '../protocol/frames.ts'
import type { Requests } from './requests.ts'

const ASK_GIVE_UP_MS = 5_000
/** How long a list waits for the other engines once one has told its part. */
const OTHERS_MS = 1_000

/** What HTTP asks of engines. */
export class Questions {
  readonly #gateway: GatewayId
  readonly #requests: Requests
  readonly #clock: Clock

  constructor(gateway: GatewayId, requests: Requests, clock: Clock) {
    this.#gateway = gateway
    this.#requests = requests
    this.#clock = clock
  }

  /**
   * Resolves with what the first engine to answer says; a list of rooms, with what all of them say, or those that did so within
   * a second. Rejects with Refusal: an engine's own, or `unavailable` where none answers in time.
   */
  ask(about: Ask['about']): Promise<Told> {
    const { promise, resolve, reject } = Promise.withResolvers<Told>()
    const parts = new Parts()
    let cancelWait = () => {}
    const resolveParts = () => {
      cancelWait()
      resolve({ rooms: parts.rooms() })
    }
    const id = this.#requests.open({
      subject: about.type === 'room' ? commandSubject(partitionOf(about.room)) : ASK_SUBJECT,
      message: (id) => ({ kind: 'ask', gateway: this.#gateway, id, about }),
      onReply: (reply) => {
        if (reply.kind !== 'told') return false
        const { value, share } = reply
        if ('refused' in value) reject(new Refusal(value.refused.code, value.refused.message))
        else if ('rooms' in value && share !== undefined) {
          if (parts.size === 0)
            cancelWait = this.#clock.after(OTHERS_MS, () => {
              this.#requests.drop(id)
              resolveParts()
            })
          parts.add(value.rooms, share)
          if (!parts.isWhole) return false
          resolveParts()
        } else resolve(value)
        return true
      },
      onGiveUp: () => {
        if (parts.size > 0) resolveParts()
        else reject(new Refusal('unavailable', 'no engine answered in time: try again'))
      },
      giveUpMs: ASK_GIVE_UP_MS,
    })
    return promise
  }
}

/** A list of rooms, of which each engine knows its own. */
class Parts {
  readonly #lists = new Map<EngineId, readonly RoomListing[]>()
  #engines = 0

  get size(): number {
    return this.#lists.size
  }

  /** By what those say that have told theirs. */
  get isWhole(): boolean {
    return this.#lists.size >= this.#engines
  }

  add(rooms: readonly RoomListing[], { engine, engines }: NonNullable<ToldItem['share']>): void {
    this.#lists.set(engine, rooms)
    this.#engines = Math.max(this.#engines, engines)
  }

  /** One of each engine in turn, as far as there is place: each names those first in which something goes on. */
  rooms(): RoomListing[] {
    const all = new Map<RoomId, RoomListing>()
    const lists = [...this.#lists.values()]
    const longest = Math.max(...lists.map(({ length }) => length))
    for (let i = 0; i < longest; i++)
      for (const list of lists) {
        const listing = list[i]
        if (listing === undefined || all.has(listing.room)) continue
        if (all.size === LISTED_MOST) return [...all.values()]
        all.set(listing.room, listing)
      }
    return [...all.values()]
  }
}
