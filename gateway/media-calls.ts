import { commandSubject, partitionOf } from '../bus/subjects.ts'
import type { Ref, RoomId } from '../protocol/frames.ts'
import type { Commands } from './commands.ts'
import type { Connection, Who } from './connection.ts'
import type { Requests } from './requests.ts'

/** Of one connection: who joins asks for every track at once. */
const CALLS_PER_CONNECTION = 64

/**
 * CALLs `media.*` of sockets: each a Command of its own beside the lane of its room, so that no move waits for it. It has no order
 * towards anything else.
 */
export class MediaCalls {
  readonly #commands: Commands
  readonly #requests: Requests

  constructor(commands: Commands, requests: Requests) {
    this.#commands = commands
    this.#requests = requests
  }

  /** Sends a call; false where too many of this connection wait for an answer. */
  send(connection: Connection, who: Who, room: RoomId, ref: Ref, frame: Uint8Array): boolean {
    connection.mediaCalls ??= new Set()
    const calls = connection.mediaCalls
    if (calls.size >= CALLS_PER_CONNECTION) return false
    const group = { room, subject: commandSubject(partitionOf(room)), frames: [{ bytes: frame, ref }] }
    const settle = (answers: Uint8Array[]) => {
      calls.delete(id)
      connection.send(answers)
    }
    const id = this.#commands.send(who, group, settle, true)
    calls.add(id)
    return true
  }

  /** Forgets the calls of a connection that has ended. */
  drop({ mediaCalls }: Connection) {
    for (const id of mediaCalls ?? []) this.#requests.drop(id)
  }
}
