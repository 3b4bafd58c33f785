import type { MediaCall, MediaNodeId, MediaReply } from '../../bus/media-messages.ts'
import { resend } from '../../bus/resend.ts'
import type { Clock } from '../../protocol/clock.ts'
import { type ErrorCode, Refusal } from '../../protocol/errors.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'

/** Before the gateway gives up, so that the client hears why. */
const GIVE_UP_MS = 8_000
/** Of one player, in all rooms: who joins asks for every track at once. */
const CALLS_PER_PLAYER = 128

export type MediaAnswer = { readonly value: unknown } | { readonly refusal: Refusal }

interface Waiting {
  readonly node: MediaNodeId
  readonly call: MediaCall
  readonly settle: (answer: MediaAnswer) => void
  cancel: () => void
}

/** Calls that media nodes have not answered: each is sent again every second until it is, and given up after 8 s. */
export class MediaCalls {
  readonly #clock: Clock
  readonly #publish: (node: MediaNodeId, call: MediaCall) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #byPlayer = new Map<PlayerId, number>()
  #lastId = 0

  constructor(clock: Clock, publish: (node: MediaNodeId, call: MediaCall) => void) {
    this.#clock = clock
    this.#publish = publish
  }

  get size(): number {
    return this.#waiting.size
  }

  /** `settle` is called once. Throws Refusal where too many of this player's calls wait. */
  send(node: MediaNodeId, call: Omit<MediaCall, 'kind' | 'id'>, settle: Waiting['settle']): void {
    const { player } = call.peer
    const others = this.#byPlayer.get(player) ?? 0
    if (others >= CALLS_PER_PLAYER)
      throw new Refusal('unavailable', 'Too many of your media calls wait for an answer: send it again later.')
    this.#byPlayer.set(player, others + 1)
    this.#lastId += 1
    const id = this.#lastId
    const waiting: Waiting = { node, call: { kind: 'media-call', id, ...call }, settle, cancel: () => {} }
    this.#waiting.set(id, waiting)
    waiting.cancel = resend(
      this.#clock,
      GIVE_UP_MS,
      () => {
        this.#publish(node, waiting.call)
        return true
      },
      () =>
        this.#end(waiting, {
          refusal: new Refusal('unavailable', 'No answer from the media node in time: try again.'),
        }),
    )
  }

  answered({ node, id, answer }: MediaReply): void {
    const waiting = this.#waiting.get(id)
    if (waiting?.node !== node) return
    this.#end(waiting, 'refused' in answer ? { refusal: refusalOf(answer.refused) } : answer)
  }

  /** Ends the calls of a room that went to this node, which has it no more. */
  giveUp(room: RoomId, node: MediaNodeId): void {
    for (const waiting of [...this.#waiting.values()])
      if (waiting.call.room === room && waiting.node === node)
        this.#end(waiting, { refusal: new Refusal('unavailable', 'The video of this room moved: join it again.') })
  }

  close(): void {
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
    this.#byPlayer.clear()
  }

  #end(waiting: Waiting, answer: MediaAnswer): void {
    const { id, peer } = waiting.call
    waiting.cancel()
    this.#waiting.delete(id)
    const others = (this.#byPlayer.get(peer.player) ?? 1) - 1
    if (others > 0) this.#byPlayer.set(peer.player, others)
    else this.#byPlayer.delete(peer.player)
    waiting.settle(answer)
  }
}

const refusalOf = ({ code, message, detail }: { code: ErrorCode; message: string; detail?: unknown }): Refusal =>
  new Refusal(code, message, detail)
