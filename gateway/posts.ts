import type { Clock } from '../protocol/clock.ts'
import { type Head, readHead } from '../protocol/codec.ts'
import { OP } from '../protocol/frames.ts'
import { type Commands, type Group, unanswered } from './commands.ts'
import { errFrame, type Who } from './connection.ts'
import type { GatewayCounters } from './counters.ts'
import { COMMAND_FRAMES } from './lane.ts'
import { pongTo } from './pong.ts'
import type { Reception } from './reception.ts'
import { routeOf } from './route.ts'

/** Of one player at once: each waits for its rooms, at most for the time after which a request is given up. */
const POSTS_PER_PLAYER = 16
const NO_HELLO = 'HELLO is for a WebSocket: GET /v1/me says the same'

export interface PostsOptions {
  clusterKey: Uint8Array
  clock: Clock
  counters: GatewayCounters
  commands: Commands
  reception: Pick<Reception, 'refusal'>
}

type Step = { is: 'answer'; frame: Uint8Array } | { is: 'ping'; bytes: Uint8Array } | ({ is: 'command' } & Group)

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
      else if (isLost) answers.push(...unanswered(step.frames))
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
    const { counters, clock, reception } = this.#options
    const steps: Step[] = []
    for (const bytes of frames) {
      counters.framesIn++
      counters.bytesIn += bytes.length
      const head = readHead(bytes)
      const refusal = reception.refusal(who, address, head, clock.now())
      if (refusal === 'dropped') continue
      if (refusal) steps.push({ is: 'answer', frame: refusal })
      else if (head.op === OP.hello) steps.push({ is: 'answer', frame: errFrame(null, 'bad_frame', NO_HELLO) })
      else if (head.op === OP.ping) steps.push({ is: 'ping', bytes })
      else this.#add(steps, who, head, bytes)
    }
    return steps
  }

  #add(steps: Step[], who: Who, head: Head, bytes: Uint8Array) {
    const { room, subject } = routeOf(head, who, this.#options.clusterKey)
    const frame = { bytes, ref: head.ref }
    const last = steps.at(-1)
    const isSame = last?.is === 'command' && last.room === room && last.subject === subject
    if (isSame && last.frames.length < COMMAND_FRAMES) last.frames.push(frame)
    else steps.push({ is: 'command', room, subject, frames: [frame] })
  }

  /** Adds the answers to a group; resolves with false where there was none in time. */
  #ask(who: Who, group: Group, answers: Uint8Array[]): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#options.commands.send(who, group, (came, inTime) => {
      answers.push(...came)
      resolve(inTime)
    })
    return promise
  }
}
