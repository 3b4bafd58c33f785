import type { Ask, Command, GatewayId, Told } from '../bus/messages.ts'
import { ASK_SUBJECT, commandSubject, partitionOf } from '../bus/subjects.ts'
import { Refusal } from '../protocol/errors.ts'
import { GIVE_UP_MS, type Requests } from './requests.ts'

const ASK_GIVE_UP_MS = 5_000

/**
 * Requests that do not come from a socket: HTTP asks them. Each rejects with Refusal: the engine's own, or `unavailable` when
 * no engine answers in time.
 */
export class Questions {
  readonly #gateway: GatewayId
  readonly #requests: Requests

  constructor(gateway: GatewayId, requests: Requests) {
    this.#gateway = gateway
    this.#requests = requests
  }

  /** Resolves with what the first engine to answer says. */
  ask(about: Ask['about']): Promise<Told> {
    const { promise, resolve, reject } = Promise.withResolvers<Told>()
    this.#requests.open({
      subject: ASK_SUBJECT,
      message: (id) => ({ kind: 'ask', gateway: this.#gateway, id, about }),
      onReply: (reply) => {
        if (reply.kind !== 'told') return false
        const { value } = reply
        if ('refused' in value) reject(new Refusal(value.refused.code, value.refused.message))
        else resolve(value)
        return true
      },
      onGiveUp: () => reject(new Refusal('unavailable', 'no engine answered in time: try again')),
      giveUpMs: ASK_GIVE_UP_MS,
    })
    return promise
  }

  /** Resolves with all frames that answer a command without a connection. */
  command({
    player,
    session,
    room,
    frames,
  }: Pick<Command, 'player' | 'session' | 'room' | 'frames'>): Promise<Uint8Array[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array[]>()
    const answer: Uint8Array[] = []
    this.#requests.open({
      subject: commandSubject(partitionOf(room)),
      message: (id) => ({ kind: 'command', gateway: this.#gateway, id, room, conn: null, player, session, frames }),
      onReply: (reply) => {
        if (reply.kind !== 'answer') return false
        answer.push(...reply.frames)
        if (reply.done) resolve(answer)
        return reply.done
      },
      onGiveUp: () =>
        reject(new Refusal('unavailable', 'no answer from the room in time: send it again with the same key')),
      giveUpMs: GIVE_UP_MS,
    })
    return promise
  }
}
