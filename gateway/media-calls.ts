import type { Command, GatewayId } from '../bus/messages.ts'
import { commandSubject, partitionOf } from '../bus/subjects.ts'
import type { Ref, RoomId } from '../protocol/frames.ts'
import type { Connection, Who } from './connection.ts'
import { GIVE_UP_MS, NO_ANSWER, type Requests } from './requests.ts'

/** Of one connection: who joins asks for every track at once. */
const CALLS_PER_CONNECTION = 64

/**
 * CALLs `media.*` of sockets: each a Command of its own beside the lane of its room, so that no move waits for it. It has no order
 * towards anything else.
 */
export class MediaCalls {
  readonly #gateway: GatewayId
  readonly #requests: Requests

  constructor(gateway: GatewayId, requests: Requests) {
    this.#gateway = gateway
    this.#requests = requests
  }

  /** Sends a call; false where too many of this connection wait for an answer. */
  send(connection: Connection, { player, session }: Who, room: RoomId, ref: Ref, frame: Uint8Array): boolean {
    connection.mediaCalls ??= new Set()
    const calls = connection.mediaCalls
    if (calls.size >= CALLS_PER_CONNECTION) return false
    const command: Omit<Command, 'id'> = {
      kind: 'command',
      gateway: this.#gateway,
      room,
      conn: null,
      player,
      session,
      aside: true,
      frames: [frame],
    }
    const id = this.#requests.open({
      subject: commandSubject(partitionOf(room)),
      message: (id) => ({ ...command, id }),
      onReply: (reply) => {
        if (reply.kind !== 'answer' || !reply.done) return false
        calls.delete(id)
        connection.send(reply.frames)
        return true
      },
      onGiveUp: () => {
        calls.delete(id)
        connection.error(ref, 'unavailable', NO_ANSWER)
      },
      giveUpMs: GIVE_UP_MS,
    })
    calls.add(id)
    return true
  }

  /** Forgets the calls of a connection that has ended. */
  drop({ mediaCalls }: Connection) {
    for (const id of mediaCalls ?? []) this.#requests.drop(id)
  }
}
