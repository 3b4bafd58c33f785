import type { Ask, GatewayId, Told } from '../bus/messages.ts'
import { ASK_SUBJECT } from '../bus/subjects.ts'
import { Refusal } from '../protocol/errors.ts'
import type { Requests } from './requests.ts'

const ASK_GIVE_UP_MS = 5_000

/** What HTTP asks of any engine. */
export class Questions {
  readonly #gateway: GatewayId
  readonly #requests: Requests

  constructor(gateway: GatewayId, requests: Requests) {
    this.#gateway = gateway
    this.#requests = requests
  }

  /** Resolves with what the first engine to answer says. Rejects with Refusal: its own, or `unavailable` where none answers in time. */
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
}
