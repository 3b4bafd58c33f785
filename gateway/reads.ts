import type { AnswerItem, GatewayId, Read } from '../bus/messages.ts'
import { commandSubject, partitionOf } from '../bus/subjects.ts'
import { decode, readHead, SERVER_LIMITS } from '../protocol/codec.ts'
import { CLOSE, ERROR_CODES, Refusal } from '../protocol/errors.ts'
import { OP, type RoomId, type Seq } from '../protocol/frames.ts'
import type { Connection, Who } from './connection.ts'
import { GIVE_UP_MS, type Requests } from './requests.ts'

/** What a member reads over HTTP. */
export interface Reading {
  who: Who
  room: RoomId
  since: Seq
  /** How long the player counts as present from now, ms. */
  presenceMs: number
}

/** Reads rooms at their engines for members over HTTP. Each read rejects with Refusal: the engine's own, or `unavailable` where none answers in time. */
export class Reads {
  readonly #gateway: GatewayId
  readonly #requests: Requests
  /** Sends what is in the answer to the connection, and gives it its place in the room. */
  readonly #place: (connection: Connection, item: AnswerItem) => void

  constructor(gateway: GatewayId, requests: Requests, place: (connection: Connection, item: AnswerItem) => void) {
    this.#gateway = gateway
    this.#requests = requests
    this.#place = place
  }

  /** Resolves with what this member missed. */
  once(reading: Reading): Promise<Uint8Array[]> {
    return this.#ask(
      reading,
      null,
      () => true,
      ({ frames }) => frames,
    )
  }

  /** Resolves with what this member missed, or with nothing once the connection waits in the room for what comes next. */
  held(reading: Reading, connection: Connection): Promise<Uint8Array[]> {
    return this.#ask(
      reading,
      { conn: connection.id, as: 'held' },
      () => !connection.isClosed,
      (item) => {
        const isEmpty = item.frames.length === 0
        if (!item.attached) connection.joined.delete(item.room)
        if (isEmpty && item.attached) this.#place(connection, item)
        // What answered an earlier copy of this read was lost, and went to nobody else: the next read brings what is left of it.
        else if (isEmpty) connection.end(CLOSE.takenOver, 'Read again.')
        return item.frames
      },
    )
  }

  /** Resolves once the connection has its place in the room, and was sent what this member missed. */
  stream(reading: Reading, connection: Connection): Promise<Uint8Array[]> {
    return this.#ask(
      reading,
      { conn: connection.id, as: 'stream' },
      () => !connection.isClosed,
      (item) => {
        if (!item.attached) throw new Refusal('unavailable', 'the room did not take the stream: try again')
        this.#place(connection, item)
        return []
      },
    )
  }

  #ask<T>(
    { who: { player, session }, room, since, presenceMs }: Reading,
    attach: Read['attach'],
    isWanted: () => boolean,
    take: (item: AnswerItem) => T,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const read: Omit<Read, 'id'> = {
      kind: 'read',
      gateway: this.#gateway,
      room,
      player,
      session,
      since,
      attach,
      presenceMs,
    }
    this.#requests.open({
      subject: commandSubject(partitionOf(room)),
      message: (id) => (isWanted() ? { ...read, id } : null),
      onReply: (reply) => {
        if (reply.kind !== 'answer') return false
        if (!isWanted()) return true
        try {
          refuse(reply.frames)
          resolve(take(reply))
        } catch (error) {
          reject(error)
        }
        return true
      },
      onGiveUp: () => reject(new Refusal('unavailable', 'no answer from the room in time: try again')),
      giveUpMs: GIVE_UP_MS,
    })
    return promise
  }
}

/** Throws the Refusal that an answer of one ERR is. */
const refuse = ([first]: readonly Uint8Array[]) => {
  if (first === undefined || readHead(first).op !== OP.err) return
  const frame = decode(first, SERVER_LIMITS)
  if (!Array.isArray(frame)) return
  const code = ERROR_CODES.find((code) => code === frame[2]) ?? 'internal'
  throw new Refusal(code, String(frame[3]), frame[4])
}
