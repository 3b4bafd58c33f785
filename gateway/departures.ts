import type { ConnId, GatewayId } from '../bus/messages.ts'
import { commandSubject, partitionOf } from '../bus/subjects.ts'
import type { RoomId } from '../protocol/frames.ts'
import type { Requests } from './requests.ts'

/** An engine that has not answered by then is gone, and its successor learns who is connected from Attach. */
const GIVE_UP_MS = 60_000
const CONNS_PER_DETACH = 1_000

/** Tells engines which connections ended: one Detach per room and loop turn, again until it is answered. */
export class Departures {
  readonly #gateway: GatewayId
  readonly #requests: Requests
  readonly #soon: (task: () => void) => void
  #gone = new Map<RoomId, ConnId[]>()

  constructor(gateway: GatewayId, requests: Requests, soon: (task: () => void) => void) {
    this.#gateway = gateway
    this.#requests = requests
    this.#soon = soon
  }

  add(room: RoomId, conn: ConnId): void {
    if (this.#gone.size === 0) this.#soon(() => this.#tell())
    const conns = this.#gone.get(room)
    if (conns) conns.push(conn)
    else this.#gone.set(room, [conn])
  }

  #tell(): void {
    const gone = this.#gone
    this.#gone = new Map()
    for (const [room, all] of gone)
      for (let from = 0; from < all.length; from += CONNS_PER_DETACH)
        this.#detach(room, all.slice(from, from + CONNS_PER_DETACH))
  }

  #detach(room: RoomId, conns: ConnId[]): void {
    this.#requests.open({
      subject: commandSubject(partitionOf(room)),
      message: (id) => ({ kind: 'detach', gateway: this.#gateway, id, room, conns }),
      onReply: (reply) => reply.kind === 'answer' && reply.done,
      onGiveUp: () => {},
      giveUpMs: GIVE_UP_MS,
    })
  }
}
