import { connect, MadangError, type Room, type RoomDocument, type RoomId, type Session } from '../../client/client.ts'
import type { Environment } from '../../client/environment.ts'
import type { GameLike } from '../../client/game.ts'
import { TRANSPORTS } from '../../client/link.ts'
import { ONLINE } from '../../client/testing/network.ts'
import type { PlayerId, Role, Seq } from '../../protocol/frames.ts'
import type { Dice } from './dice.ts'
import type { Ground } from './ground.ts'
import { chooseMove, isOver, type Move } from './moves.ts'

/** How long the SDK waits for an answer before it fails a request. */
const DEADLINE_MS = 12_000
export const POLL_MS = 250
const CHOICES = ['auto', ...TRANSPORTS] as const

/** What one Room of the SDK showed, from JOIN to its end. */
export interface Showing {
  readonly who: string
  readonly player: PlayerId
  readonly room: RoomId
  readonly views: { readonly seq: Seq; readonly document: RoomDocument }[]
  readonly emits: { readonly seq: Seq; readonly event: unknown }[]
  readonly handle: Room<GameLike>
}

/** A move that the SDK resolved: it is in the log at `seq`, and `shown` was on show by then. */
export interface DoneMove {
  /** Ms of virtual time since the world began. */
  readonly at: number
  readonly player: PlayerId
  readonly who: string
  readonly room: RoomId
  readonly move: Move
  readonly seq: Seq
  /** Seq of the document on show when the promise resolved; null where the room was closed by then. */
  readonly shown: Seq | null
}

/** People who play one game after another: where they are now. */
export interface Table {
  readonly game: string
  readonly options: unknown
  readonly entry: 'create' | 'match'
  room: RoomId | null
}

export interface Memories {
  readonly showings: Showing[]
  readonly moves: DoneMove[]
  /** Promises of the SDK that have not settled. */
  open: number
}

/** A player or spectator with the real SDK: plays, misbehaves within the protocol, leaves, comes back. */
export class Bot {
  readonly who: string
  readonly player: PlayerId
  readonly session: Session
  readonly #table: Table
  readonly #role: Role | undefined
  readonly #ground: Ground
  readonly #dice: Dice
  readonly #memories: Memories
  readonly #isPlaying: () => boolean
  #isGoing = false
  readonly #shown = new Set<Room<GameLike>>()
  /** Rooms that it has asked to leave: what is answered there may not be shown any more. */
  readonly #leaving = new WeakSet<Room<GameLike>>()

  constructor(
    who: string,
    table: Table,
    role: Role | undefined,
    ground: Ground,
    outside: Pick<Environment, 'openSocket' | 'fetch'>,
    memories: Memories,
    isPlaying: () => boolean,
  ) {
    this.who = who
    this.player = playerOf(who)
    this.#table = table
    this.#role = role
    this.#ground = ground
    this.#dice = ground.dice.bots
    this.#memories = memories
    this.#isPlaying = isPlaying
    this.session = connect({
      url: 'http://sim',
      token: this.player,
      deadline: DEADLINE_MS,
      clock: ground.clock,
      chance: ground.dice.programs,
      socket: outside.openSocket,
      fetch: outside.fetch,
      transport: this.#dice.pick(CHOICES),
      pollInterval: POLL_MS,
      network: ONLINE,
    })
    this.session.ready.catch(() => {})
    this.session.state.subscribe((state) => {
      ground.timeline.note(null, `${who} is ${state.status}${state.status === 'closed' ? ` (${state.why})` : ''}`)
      if (state.status === 'reconnecting') ground.timeline.count('reconnects')
      if (state.status !== 'closed' || state.why === 'asked') return
      // What a gateway sends again when it wakes may take the session from its newest stream: docs/simulator.md.
      if (state.why === 'taken over') return ground.timeline.count('sessions taken over by a ghost')
      ground.timeline.fail(
        'run',
        null,
        `the session of ${who} was closed for good: ${state.why}, ${state.error.message}`,
      )
    })
  }

  /** Plays until it is told to stop. Never rejects. */
  async run(): Promise<void> {
    let room: Room<GameLike> | null = null
    await this.#think()
    while (this.#isPlaying()) {
      if (this.#isGoing) {
        await this.leaveAll()
        while (this.#isPlaying()) await this.#think()
      } else if (room === null || room.closed !== null || this.#table.room !== room.id) {
        const id = await this.#whereTo()
        if (id !== null) room = (await this.#join(id)) ?? room
      } else await this.#act(room)
      await this.#think()
    }
  }

  /** Goes out of every room with its next act, and stays away. */
  goOut(): void {
    this.#isGoing = true
  }

  /** Goes out of every room it is in. */
  async leaveAll(): Promise<void> {
    await Promise.all(
      [...this.#shown].map((room) => (room.closed === null ? this.#ask('leave', room.id, room.leave()) : null)),
    )
  }

  #think(): Promise<void> {
    return new Promise((resolve) => this.#ground.clock.after(this.#dice.between(60, 600), resolve))
  }

  /** The room of the table, which the first to come makes or is matched to. */
  async #whereTo(): Promise<RoomId | null> {
    const table = this.#table
    if (table.room !== null) return table.room
    if (this.#role === 'spectator') return null
    const { session } = this
    if (table.entry === 'match') {
      const id = await this.#ask('match', null, session.match(table.game, table.options))
      table.room ??= id
      return id
    }
    const id = await this.#ask('create', null, session.create(table.game, table.options))
    table.room ??= id
    return table.room
  }

  async #join(id: RoomId): Promise<Room<GameLike> | null> {
    const role = this.#role ?? (this.#dice.may(0.2) ? 'player' : undefined)
    const room = await this.#ask('join', id, this.session.join(id, role === undefined ? {} : { role }))
    if (room === null || this.#shown.has(room)) return room
    this.#shown.add(room)
    const showing: Showing = { who: this.who, player: this.player, room: id, views: [], emits: [], handle: room }
    this.#memories.showings.push(showing)
    const look = () => {
      const { seq, document, closed } = room.current
      if (closed === null && showing.views.at(-1)?.document !== document) showing.views.push({ seq, document })
    }
    look()
    room.subscribe(look)
    room.on('emit', (event, seq) => showing.emits.push({ seq, event }))
    if (this.#dice.may(0.4)) void this.#video(room)
    return room
  }

  async #act(room: Room<GameLike>): Promise<void> {
    const dice = this.#dice
    const { document } = room
    const { phase, host, next, players } = document.room
    const table = this.#table
    if (next !== undefined && table.room === room.id) table.room = next
    if (dice.may(0.04)) return this.#leave(room)
    if (dice.may(0.06)) return this.#change(dice.pick(CHOICES))
    if (dice.may(0.02)) return this.#kick(room, dice.pick([...players, 'p0', 's0']))
    if (dice.may(0.12)) return this.#video(room)
    if (phase === 'open') {
      if (dice.may(host === this.player ? 0.5 : 0.03)) await this.#ask('start', room.id, room.start())
      return
    }
    if (phase === 'over' || isOver(document)) {
      if (dice.may(0.4)) table.room = (await this.#ask('again', room.id, room.again())) ?? table.room
      return
    }
    const move = chooseMove(document, this.player, dice)
    if (move === null) return
    if (dice.may(0.15)) await Promise.all([this.#move(room, move), this.#move(room, move)])
    else await this.#move(room, move)
  }

  /** Comes on video, or goes; nobody waits for it. */
  async #video(room: Room<GameLike>): Promise<void> {
    const method = this.#dice.may(0.9) ? 'media.join' : 'media.leave'
    void this.#ask(method, room.id, room.call(method))
  }

  /** Goes on over another transport, in the middle of whatever is under way. */
  async #change(to: (typeof CHOICES)[number]): Promise<void> {
    const change = this.#ask(`use ${to}`, null, this.session.use(to))
    if (this.#dice.may(0.5)) await change
  }

  async #leave(room: Room<GameLike>): Promise<void> {
    this.#leaving.add(room)
    if (this.#dice.may(0.5)) void this.#ask('leave', room.id, room.leave())
    else await this.#ask('leave', room.id, room.leave())
  }

  async #kick(room: Room<GameLike>, player: PlayerId): Promise<void> {
    if (player !== this.player) await this.#ask('kick', room.id, room.kick(player))
  }

  async #move(room: Room<GameLike>, move: Move): Promise<void> {
    const made = room.move[move.type]
    if (made === undefined) return
    const seq = await this.#ask(move.type, room.id, made(move.payload))
    if (seq === null) return
    const shown = room.closed === null && !this.#leaving.has(room) ? room.seq : null
    this.#memories.moves.push({
      at: this.#ground.timeline.now,
      who: this.who,
      player: this.player,
      room: room.id,
      move,
      seq,
      shown,
    })
  }

  /** What a promise of the SDK resolves with, or null where it was refused. */
  async #ask<T>(what: string, room: RoomId | null, promise: Promise<T>): Promise<T | null> {
    const { timeline } = this.#ground
    this.#memories.open += 1
    timeline.note(room, `${this.who} asks: ${what}`)
    try {
      const value = await promise
      timeline.note(room, `${this.who} may: ${what}${typeof value === 'number' ? ` at ${value}` : ''}`)
      timeline.count(`${what} done`)
      return value
    } catch (error) {
      if (!(error instanceof MadangError)) throw error
      timeline.note(room, `${this.who} may not: ${what}: ${error.code}, ${error.message}`)
      timeline.count(`refused: ${error.code}`)
      if (
        error.code === 'internal' ||
        error.code === 'bad_frame' ||
        (error.code === 'conflict' && /ref/i.test(error.message))
      )
        timeline.fail('run', room, `${what} of ${this.who} failed: ${error.code}, ${error.message}`)
      return null
    } finally {
      this.#memories.open -= 1
    }
  }
}

/** `p0` and `p0~2` are two sessions of one player. */
export const playerOf = (who: string): PlayerId => who.split('~')[0] ?? who
