import type { Command, GatewayId } from '../bus/messages.ts'
import { readHead } from '../protocol/codec.ts'
import { OP, type Ref, type RoomId } from '../protocol/frames.ts'
import { errFrame, type Who } from './connection.ts'
import { GIVE_UP_MS, NO_ANSWER, type Requests } from './requests.ts'

/** Frames that go in one Command. */
export interface Group {
  room: RoomId
  subject: string
  frames: { bytes: Uint8Array; ref: Ref | null }[]
}

/** Commands that attach nothing: those of HTTP, and those that come from sockets but beside their lanes. */
export class Commands {
  readonly #gateway: GatewayId
  readonly #requests: Requests

  constructor(gateway: GatewayId, requests: Requests) {
    this.#gateway = gateway
    this.#requests = requests
  }

  /**
   * Sends a Command and returns its id, under which it can be dropped. `settle` is called once with the OK and ERR frames that answer it;
   * where there was no answer in time, with ERR `unavailable` for what is unanswered, and `inTime` false.
   */
  send(
    { player, session }: Pick<Who, 'player' | 'session'>,
    { room, subject, frames }: Group,
    settle: (answers: Uint8Array[], inTime: boolean) => void,
    aside = false,
  ): number {
    /** By ref: how many of the frames are unanswered; a client may have sent one twice. */
    const awaited = new Map<Ref, number>()
    let came: Uint8Array[] = []
    const begin = () => {
      came = []
      awaited.clear()
      for (const { ref } of frames) if (ref !== null) awaited.set(ref, (awaited.get(ref) ?? 0) + 1)
    }
    begin()
    const command: Omit<Command, 'id'> = {
      kind: 'command',
      gateway: this.#gateway,
      room,
      conn: null,
      player,
      session,
      frames: frames.map(({ bytes }) => bytes),
      ...(aside && { aside }),
    }
    return this.#requests.open({
      subject,
      message: (id) => ({ ...command, id }),
      onReply: (reply) => {
        if (reply.kind !== 'answer') return false
        for (const frame of reply.frames) {
          const { op, ref } = readHead(frame)
          // A JOIN's document comes by the way down that the client has opened.
          if (op !== OP.ok && op !== OP.err) continue
          // The answer to a resend begins anew.
          const left = ref === null ? 1 : (awaited.get(ref) ?? 0)
          if (left === 0) continue
          came.push(frame)
          if (ref !== null) awaited.set(ref, left - 1)
        }
        if (!reply.done) return false
        // A part of the answer was lost: the resend brings all of it.
        if ([...awaited.values()].some((left) => left > 0)) {
          begin()
          return false
        }
        settle(came, true)
        return true
      },
      onGiveUp: () => settle([...came, ...unanswered(frames, awaited)], false),
      giveUpMs: GIVE_UP_MS,
    })
  }
}

/** Returns ERR `unavailable` for each frame that expects an answer and has none. Pure. */
export const unanswered = (frames: Group['frames'], awaited?: ReadonlyMap<Ref, number>): Uint8Array[] =>
  frames.flatMap(({ ref }) =>
    ref === null || awaited?.get(ref) === 0 ? [] : [errFrame(ref, 'unavailable', NO_ANSWER)],
  )
