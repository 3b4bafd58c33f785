import type { Command, GatewayId } from '../bus/messages.ts'
import { commandSubject, matchPartition, partitionOf } from '../bus/subjects.ts'
import type { Clock } from '../protocol/clock.ts'
import { type Head, readHead } from '../protocol/codec.ts'
import { OP, type Ref, type RoomId } from '../protocol/frames.ts'
import { errFrame, type Who } from './connection.ts'
import type { GatewayCounters } from './counters.ts'
import { COMMAND_FRAMES } from './lane.ts'
import { pongTo } from './pong.ts'
import type { Reception } from './reception.ts'
import { GIVE_UP_MS, NO_ANSWER, type Requests } from './requests.ts'
import { createdRoom } from './room-id.ts'

/** Of one player at once: each waits for its rooms, at most for the time after which a request is given up. */
const POSTS_PER_PLAYER = 16

export interface PostsOptions {
  gateway: GatewayId
  clusterKey: Uint8Array
  clock: Clock
  counters: GatewayCounters
  requests: Requests
  rates: Pick<Reception, 'draw' | 'drawSilent'>
  limits: { rate: number }
}

type Step = { is: 'answer'; frame: Uint8Array } | { is: 'ping'; bytes: Uint8Array } | Group
/** Frames that go in one Command. */
interface Group {
  is: 'command'
  room: RoomId
  subject: string
  frames: { bytes: Uint8Array; ref: Ref | null }[]
}

/**
 * What clients send over HTTP: many frames at once and without a connection, checked as a socket's are. One Command is under way per
 * POST, so that its frames take effect in their order across rooms too.
 */
export class Posts {
  readonly #options: PostsOptions
  readonly #underWay = new Map<string, number>()

  constructor(options: PostsOptions) {
    this.#options = options
  }

  /** How many players wait for an answer. */
  get size(): number {
    return this.#underWay.size
  }

  /** Whether this player may not have another POST answered now. */
  isFull(player: string): boolean {
    return (this.#underWay.get(player) ?? 0) >= POSTS_PER_PLAYER
  }

  /** Resolves with the OK, ERR and PONG frames that answer frames which `scan` has accepted, in order. Never rejects. */
  async answer(who: Who, address: string, frames: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const { counters, clock } = this.#options
    const player = who.player.id
    this.#underWay.set(player, (this.#underWay.get(player) ?? 0) + 1)
    const answers: Uint8Array[] = []
    let isLost = false
    for (const step of this.#plan(who, address, frames)) {
      if (step.is === 'answer') answers.push(step.frame)
      else if (step.is === 'ping')
        answers.push(pongTo(step.bytes, clock.now()) ?? errFrame(null, 'bad_frame', 'PING: a number t was expected'))
      else if (isLost) answers.push(...unanswered(step))
      else isLost = !(await this.#ask(who, step, answers))
    }
    const left = (this.#underWay.get(player) ?? 1) - 1
    if (left > 0) this.#underWay.set(player, left)
    else this.#underWay.delete(player)
    counters.framesOut += answers.length
    for (const { length } of answers) counters.bytesOut += length
    return answers
  }

  /** What is to be done for each frame, in order; draws from the rates. */
  #plan(who: Who, address: string, frames: readonly Uint8Array[]): Step[] {
    const { counters } = this.#options
    const steps: Step[] = []
    for (const bytes of frames) {
      counters.framesIn++
      counters.bytesIn += bytes.length
      const head = readHead(bytes)
      const refusal = this.#refusal(who, address, head)
      if (refusal === 'dropped') counters.dropsEphemeral++
      else if (refusal) steps.push({ is: 'answer', frame: refusal })
      else if (head.op === OP.ping) steps.push({ is: 'ping', bytes })
      else this.#add(steps, who, head, bytes)
    }
    return steps
  }

  #refusal(who: Who, address: string, { op, ref, bad }: Head): Uint8Array | 'dropped' | null {
    const { rates, counters, limits } = this.#options
    const isSilent = op === OP.cast || op === OP.input
    const retryAfter = isSilent ? rates.drawSilent(who.player.id) : rates.draw(who, address)
    if (retryAfter > 0) {
      if (isSilent) return 'dropped'
      counters.rateLimited++
      return errFrame(ref, 'rate_limited', `more than ${limits.rate} frames a second`, { retryAfter })
    }
    if (bad !== null) return errFrame(ref, 'bad_frame', bad)
    return op === OP.hello ? errFrame(null, 'bad_frame', 'HELLO is for a WebSocket: GET /v1/me says the same') : null
  }

  #add(steps: Step[], who: Who, { op, ref, room, game }: Head, bytes: Uint8Array) {
    const id =
      op === OP.match ? '' : (room ?? createdRoom(this.#options.clusterKey, who.player.id, who.session, ref ?? 0))
    const subject = commandSubject(op === OP.match ? matchPartition(game ?? '') : partitionOf(id))
    const last = steps.at(-1)
    const isSame = last?.is === 'command' && last.room === id && last.subject === subject
    if (isSame && last.frames.length < COMMAND_FRAMES) last.frames.push({ bytes, ref })
    else steps.push({ is: 'command', room: id, subject, frames: [{ bytes, ref }] })
  }

  /** Adds the answers to a group; resolves with false where there was none in time. */
  #ask({ player, session }: Who, group: Group, answers: Uint8Array[]): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    /** By ref: how many of the frames are unanswered; a client may have sent one twice. */
    const awaited = new Map<Ref, number>()
    let came: Uint8Array[] = []
    const begin = () => {
      came = []
      awaited.clear()
      for (const { ref } of group.frames) if (ref !== null) awaited.set(ref, (awaited.get(ref) ?? 0) + 1)
    }
    begin()
    const command: Omit<Command, 'id'> = {
      kind: 'command',
      gateway: this.#options.gateway,
      room: group.room,
      conn: null,
      player,
      session,
      frames: group.frames.map(({ bytes }) => bytes),
    }
    this.#options.requests.open({
      subject: group.subject,
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
        answers.push(...came)
        resolve(true)
        return true
      },
      onGiveUp: () => {
        answers.push(...came, ...unanswered(group, awaited))
        resolve(false)
      },
      giveUpMs: GIVE_UP_MS,
    })
    return promise
  }
}

const unanswered = ({ frames }: Group, awaited?: ReadonlyMap<Ref, number>): Uint8Array[] =>
  frames.flatMap(({ ref }) =>
    ref === null || awaited?.get(ref) === 0 ? [] : [errFrame(ref, 'unavailable', NO_ANSWER)],
  )
