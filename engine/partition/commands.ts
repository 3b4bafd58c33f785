import type { AnswerItem, Command } from '../../bus/messages.ts'
import { isRetryable, Refusal } from '../../protocol/errors.ts'
import { type CallFrame, type MatchFrame, OP, type Ref, type RoomId } from '../../protocol/frames.ts'
import type { Media } from '../media/media.ts'
import type { Asker, RoomRequest } from '../room/admit.ts'
import { departureNote } from '../room/attachments.ts'
import type { Answer } from '../room/batch.ts'
import type { KeyRing } from '../room/keyring.ts'
import type { LiveRoom } from '../room/live.ts'
import { isConnected, isOut, isPlayer } from '../room/membership.ts'
import { RulesError } from '../rules/game.ts'
import { CommandAnswers, err, type FrameAnswer, ok, refusalOf } from './answers.ts'
import { createNext, createRoom } from './creation.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { Library } from './library.ts'
import type { Matching } from './matching.ts'
import { isAgain, isForRoom, isSealed, isSilent, type OpenedFrame, openFrame } from './opened.ts'
import type { Rooms } from './rooms.ts'

export interface CommandPorts {
  readonly rooms: Rooms
  readonly library: Library
  readonly keys: KeyRing
  readonly matching: Matching
  readonly media: Media
  readonly lanes: Lanes
  readonly answer: (command: Command, answer: Omit<AnswerItem, 'epoch'>) => void
  /** For what nobody foresaw. */
  readonly failed: (what: string, error: unknown) => void
}

/** Opens the frames of a command and brings each to its room. Never rejects: what nobody foresaw is reported, and answered `unavailable`. */
export const takeCommand = async (command: Command, lane: Lane, ports: CommandPorts): Promise<void> => {
  const answers = new CommandAnswers(command, (answer) => {
    if (answer.done) lane.isOpen = false
    ports.answer(command, answer)
  })
  const frames = command.frames.map(openFrame)
  try {
    // Whoever moves has a key and a room in memory, nearly always: then this runs up to the room's queue without waiting.
    if (frames.some(isSealed) && !ports.keys.has(command.player.id)) await ports.keys.need(command.player.id)
    const room = frames.some(isForRoom)
      ? (ports.rooms.here(command.room) ?? (await ports.rooms.open(command.room)))
      : null
    if (command.conn === null && !command.aside) room?.visited({ player: command.player.id, session: command.session })
    const work: Work = { command, room, lane, answers, ports }
    for (let place = 0; place < frames.length; place++) {
      const opened = frames[place]
      const before = lane.kept?.get(place)
      if (before !== undefined) answers.set(place, { frames: [before] })
      else if (opened !== undefined) {
        const taking = new Taking(opened, place, work)
        taking.take()
        // A JOIN behind it would have its place in the stream now, and its document only after this answer.
        if (taking.answered !== undefined) await taking.answered
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) ports.failed('a command', error)
    const refusal = refusalOf(error)
    for (const [i, { frame, ref }] of frames.entries())
      answers.set(i, { frames: frame !== null && isSilent(frame) ? [] : [err(ref, refusal)] })
  }
}

/** What the frames of one command have in common. */
interface Work {
  readonly command: Command
  readonly room: LiveRoom | null
  readonly lane: Lane
  readonly answers: CommandAnswers
  readonly ports: CommandPorts
}

/** One frame on its way, answered once, now or later. */
class Taking {
  readonly #opened: OpenedFrame
  readonly #place: number
  readonly #work: Work
  readonly #again: PromiseWithResolvers<void> | null

  constructor(opened: OpenedFrame, place: number, work: Work) {
    this.#opened = opened
    this.#place = place
    this.#work = work
    this.#again = isAgain(opened.frame) ? Promise.withResolvers() : null
  }

  /** Settles once it is, where the frame is `again`. */
  get answered(): Promise<void> | undefined {
    return this.#again?.promise
  }

  /** Runs up to the room's queue without waiting, so that frames keep their order. */
  take(): void {
    try {
      this.#route()
    } catch (error) {
      this.#refuse(error)
    }
  }

  #route(): void {
    const { frame, refusal } = this.#opened
    if (frame === null) throw refusal
    const { player, session, room: id } = this.#work.command
    const asker: Asker = { by: player.id, name: player.name, session }
    switch (frame[0]) {
      case OP.create:
        this.#later(frame[1], createRoom(frame, asker, id, this.#work.ports))
        break
      case OP.match:
        this.#later(frame[1], this.#match(id, frame, asker))
        break
      case OP.join:
      case OP.leave:
      case OP.move:
      case OP.call: {
        const room = this.#work.room
        if (room === null) throw new Refusal('not_found', `There is no room "${frame[2]}".`)
        if (frame[0] === OP.call && frame[3] === 'chat') this.#chat(frame, asker, room)
        else if (frame[0] === OP.call && frame[3].startsWith('media.')) this.#media(frame, asker, room)
        else this.#request(frame, asker, room)
        break
      }
      case OP.cast:
        // A channel of a room that is not there is not allowed, like one that is not declared.
        if (this.#work.room === null) throw new Refusal('forbidden', `There is no room "${frame[1]}".`)
        this.#work.room.cast(frame, player.id, session)
        this.#give({ frames: [] })
        break
      default:
        this.#give({ frames: [] })
    }
  }

  #request(frame: RoomRequest, asker: Asker, room: LiveRoom): void {
    room.request(frame, asker, (answer) => {
      try {
        this.#answered(frame, asker, room, answer)
      } catch (error) {
        this.#refuse(error)
      }
    })
  }

  /** Gateways name no room; the engine that has found one asks its owner. */
  async #match(room: RoomId, frame: MatchFrame, asker: Asker): Promise<unknown> {
    const { command, ports } = this.#work
    const answer = await (room === ''
      ? ports.matching.match(frame, asker)
      : ports.matching.seatFor(command.queue ?? 0, room, frame, asker))
    if ('refusal' in answer) throw answer.refusal
    return answer.value
  }

  /** Runs in the room's turn up to the answer, but for `again`, which waits for the new room. */
  #answered(frame: RoomRequest, asker: Asker, room: LiveRoom, answer: Answer): void {
    if ('refusal' in answer) throw answer.refusal
    const { value } = answer
    const ref = frame[1]
    if (isAgain(frame))
      this.#later(
        ref,
        createNext(room, this.#work.ports).then(() => value),
      )
    else if (frame[0] === OP.join) this.#joined(ok(ref, value), { ...asker, ref }, room, frame[3]?.since ?? null)
    else if (frame[0] === OP.leave) this.#left(ok(ref, value), asker, room)
    else this.#ok(ref, value)
  }

  #later(ref: Ref, value: Promise<unknown>): void {
    value.then((value) => this.#ok(ref, value)).catch((error) => this.#refuse(error))
  }

  #joined(answer: Uint8Array, { by, session, ref }: Asker & { ref: Ref }, room: LiveRoom, since: number | null): void {
    const { gateway, conn } = this.#work.command
    const { state } = room
    const isMember = !isOut(state, by)
    if (conn === null && isMember) room.joined({ player: by, session }, ref)
    // A JOIN that is answered once more, and its player was removed since, or has left: who waits for a document is told that there is none.
    if (conn !== null && !isMember) {
      const departure = state.kicked.includes(by) ? 'kicked' : 'left'
      this.#give({ frames: [answer, departureNote(state.room, departure)], attached: null })
      return
    }
    if (conn === null || !this.#work.ports.lanes.isNewest(this.#work.command, conn)) {
      // Requests over HTTP have no order: a copy may come after the LEAVE, and must not bring the player back.
      if (conn === null) this.#keep(answer)
      this.#give({ frames: [answer] })
      return
    }
    const role = isPlayer(state, by) ? 'player' : 'spectator'
    const attachment = { gateway, conn, player: by, session, role, ref, as: 'socket' } as const
    const { frames, seq } = room.join(attachment, since)
    this.#give({
      frames: [answer, ...frames, ...room.welcome(attachment)],
      attached: { role, seq, heard: state.seq, ref },
    })
  }

  #chat(frame: CallFrame, asker: Asker, room: LiveRoom): void {
    this.#inTurn(room, () => this.#ok(frame[1], room.chat(frame, asker)))
  }

  /** Answered when the room's media node has, long after the room's turn. */
  #media(frame: CallFrame, asker: Asker, room: LiveRoom): void {
    this.#inTurn(room, () =>
      this.#work.ports.media.call(frame, asker, room, (answer) => {
        if ('refusal' in answer) this.#refuse(answer.refusal)
        else this.#ok(frame[1], answer.value)
      }),
    )
  }

  #inTurn(room: LiveRoom, act: () => void): void {
    const visit = (): void => {
      try {
        act()
      } catch (error) {
        this.#refuse(error)
      }
    }
    room.visit(visit, (refusal) => this.#refuse(refusal))
  }

  #left(answer: Uint8Array, { by }: Asker, room: LiveRoom): void {
    const { gateway, conn } = this.#work.command
    if (isConnected(room.state, by)) {
      // A LEAVE that is answered once more, and its player has come back since.
      this.#give({ frames: [answer] })
      return
    }
    room.detachPlayer(by, 'left', conn === null ? undefined : { gateway, conn })
    this.#give({ frames: [answer], attached: null })
  }

  #give(answer: FrameAnswer): void {
    const [error] = answer.isRefused ? answer.frames : []
    if (error !== undefined) this.#keep(error)
    this.#work.answers.set(this.#place, answer)
    this.#again?.resolve()
  }

  /** Copies of the request are answered with this, and do not act. */
  #keep(frame: Uint8Array): void {
    const { lane } = this.#work
    lane.kept ??= new Map()
    lane.kept.set(this.#place, frame)
  }

  #ok(ref: Ref, value: unknown): void {
    this.#give({ frames: [ok(ref, value)] })
  }

  #refuse(error: unknown): void {
    const { frame, ref } = this.#opened
    if (!(error instanceof Refusal || error instanceof RulesError)) this.#work.ports.failed('a request', error)
    const refusal = refusalOf(error)
    const silent = frame !== null && isSilent(frame) && refusal.code !== 'forbidden'
    this.#give({ frames: silent ? [] : [err(ref, refusal)], isRefused: !isRetryable(refusal.code) })
  }
}
