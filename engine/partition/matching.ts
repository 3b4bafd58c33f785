import { isDeepStrictEqual } from 'node:util'
import type { Ask, Matched, SeatsOfRoom } from '../../bus/messages.ts'
import { matchPartition, PARTITIONS, partitionOf } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import { type ErrorCode, Refusal } from '../../protocol/errors.ts'
import type { MatchFrame, PlayerId, RoomId } from '../../protocol/frames.ts'
import type { Asker } from '../room/admit.ts'
import type { Answer } from '../room/batch.ts'
import { digest } from '../room/digest.ts'
import type { LiveRoom } from '../room/live.ts'
import { isPlayer } from '../room/membership.ts'
import { lookUp } from '../room/window.ts'
import type { LoadedGame } from '../rules/game.ts'
import { gameNamed, roomCreated } from './creation.ts'
import type { Errands } from './errands.ts'
import type { Library } from './library.ts'
import { type Found, KEPT_MS, MatchedPlayers } from './matched.ts'
import type { Rooms } from './rooms.ts'
import { type SeatsElsewhere, seatsOf } from './seats.ts'

/** Rooms that may refuse one player before the sender has to ask again. */
const TRIES_MOST = 16

interface MatchingPorts {
  readonly rooms: Rooms
  readonly library: Library
  readonly clock: Clock
  readonly errands: Errands
  readonly elsewhere: SeatsElsewhere
  /** Since which epoch a partition is this engine's; null where nothing new may begin there. */
  readonly epochOf: (partition: number) => number | null
  /** Null where it is sure that no other engine has taken over; else resolves once it is sure again. */
  readonly sure: () => Promise<void> | null
  /** Those of its partitions whose live rooms are in memory, or known to be missing there. */
  readonly known: () => number[]
  /** Resolves once the rooms that were live before in the partitions it was given are in memory: a retry finds its answer there. */
  readonly ready: () => Promise<void>
  /** The id of the nth room that a MATCH makes where none has a seat: the same for each retry. */
  readonly newRoom: (asker: Asker, ref: number, n: number) => RoomId
}

type Earlier = Extract<Ask['about'], { type: 'matched' }>

/**
 * Seats players who ask for any public room of a game. The owner of the game's match partition finds the room, without waiting
 * for anything in between, so that two never make a room each where one would do; the room's owner seats them. The seat is logged
 * in its room with the request's ref: there a retry finds its answer, also after this engine is gone.
 */
export class Matching {
  readonly #ports: MatchingPorts
  readonly #matched: MatchedPlayers
  /** Since when a partition is this engine's. */
  readonly #since = new Map<number, number>()
  /** By match partition: the highest epoch of its owners that have asked here. */
  readonly #queues = new Map<number, number>()

  constructor(ports: MatchingPorts) {
    this.#ports = ports
    this.#matched = new MatchedPlayers(ports.clock, ports.epochOf)
  }

  /** These partitions come to this engine: what was asked there before is not remembered here. */
  own(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#since.set(partition, this.#ports.clock.now())
  }

  /** Finds a room, wherever it is, and seats the asker there. Rejects with Refusal. */
  async match(frame: MatchFrame, asker: Asker): Promise<Answer> {
    const [, ref, id] = frame
    const { epochOf, sure } = this.#ports
    const wanted = this.#wanted(frame)
    const queue = matchPartition(id)
    const epoch = epochOf(queue)
    if (epoch === null) throw isMoving()
    const earlier = await this.#before(frame, asker, epoch)
    const refused = new Set<RoomId>()
    const hasQueue = () => sure() === null && epochOf(queue) === epoch
    while (refused.size < TRIES_MOST) {
      await sure()
      // Another engine has the queue: it has asked where this player was seated, and was told that it was nowhere.
      if (epochOf(queue) !== epoch) throw isMoving()
      // Another copy of the request may have come further meanwhile.
      const found = this.#matched.find(asker, ref) ?? earlier
      if (found !== null && found.game !== id)
        throw new Refusal('conflict', `Ref ${ref} was used for another request. Use a new ref.`)
      const known = found === null || refused.has(found.room) ? null : found.room
      const room = known ?? this.#choose(wanted, asker, refused) ?? this.#make(wanted, asker, ref, refused)
      const answer = await (epochOf(partitionOf(room)) !== null
        ? this.#seatHere(room, frame, asker)
        : this.#ask(room, frame, asker, () => this.#ports.errands.match(room, epoch, frame, asker, hasQueue)))
      if (!isForOthers(answer)) return answer
      refused.add(room)
    }
    throw new Refusal('unavailable', 'Rooms fill up faster than they are found. Send it again.')
  }

  /**
   * Seats the asker in this very room of this engine, which is made where it is not there, for an engine that has the game's
   * queue since this epoch. Rejects with Refusal, also where a later owner of the queue has asked who sits here.
   */
  async seatFor(queue: number, room: RoomId, frame: MatchFrame, asker: Asker): Promise<Answer> {
    if (!this.#isNewest(frame[2], queue)) throw isMoving()
    return this.#seatHere(room, frame, asker)
  }

  /** Where an earlier request was seated, as far as this engine knows. */
  async earlier({ game, queue, player: by, session, ref }: Earlier): Promise<Matched> {
    const { rooms, ready, known } = this.#ports
    this.#isNewest(game, queue)
    const matched = this.#matched.find({ by, session }, ref)
    if (matched !== undefined) return { matched, partitions: [] }
    await ready()
    // Whether the content is the same is for the room to say.
    for (const { room, state } of rooms.publicOf(game))
      if (lookUp(state.windows, by, session, ref, 0).known !== false) return { matched: { game, room }, partitions: [] }
    return { matched: null, partitions: rooms.lacks(game) ? [] : known() }
  }

  /** Whether no later owner of a game's queue is known of than this. */
  #isNewest(game: string, queue: number): boolean {
    const partition = matchPartition(game)
    const known = this.#queues.get(partition) ?? 0
    this.#queues.set(partition, Math.max(known, queue))
    return queue >= known
  }

  #wanted([, , id, raw]: MatchFrame): Wanted {
    const game = gameNamed(id, this.#ports.library)
    return { game, options: game.runner.parseOptions(raw) }
  }

  /** Where a request was seated before. Rejects with Refusal where that cannot be known now. */
  async #before([, ref, game]: MatchFrame, asker: Asker, queue: number): Promise<Found | null> {
    const { rooms, errands, clock } = this.#ports
    const since = this.#since.get(matchPartition(game))
    // Since then all that was asked was asked here.
    if (since !== undefined && clock.now() - since > KEPT_MS) return null
    const about: Earlier = { type: 'matched', game, queue, player: asker.by, session: asker.session, ref }
    const here = await this.earlier(about)
    if (here.matched !== null || here.partitions.length === PARTITIONS) return here.matched
    if (rooms.lacks(game)) throw new Refusal('unavailable', 'Rooms of this game are being read. Send it again.')
    const found: Found[] = []
    const heard = new Set<number>()
    await errands.ask(about, (told) => {
      if (!('matched' in told)) return false
      if (told.matched !== null) found.push(told.matched)
      for (const partition of told.partitions) heard.add(partition)
      return found.length > 0 || heard.size === PARTITIONS
    })
    return found[0] ?? null
  }

  /** The fullest room that has a seat, so that games begin; null where there is none. */
  #choose(wanted: Wanted, asker: Asker, refused: ReadonlySet<RoomId>): RoomId | null {
    let best: Seats | null = null
    for (const seats of this.#open(wanted, asker))
      if (!refused.has(seats.room) && (best === null || isFuller(seats, best))) best = seats
    if (best === null) return null
    this.#ports.elsewhere.take(wanted.game.runner.id, best.room)
    return best.room
  }

  *#open({ game, options }: Wanted, { by }: Asker): Generator<Seats> {
    const { rooms, elsewhere, clock } = this.#ports
    const at = clock.now()
    for (const room of rooms.publicOf(game.runner.id)) {
      const seats = seatsOf(room, at, by)
      if (seats !== null && seats.rules === game.hash && isFor(room, by) && isDeepStrictEqual(seats.options, options))
        yield seats
    }
    // What came over a bus may have lost what is undefined: its owner will compare it again.
    const kind = digest(options)
    for (const seats of elsewhere.of(game.runner.id))
      if (seats.rules === game.hash && digest(seats.options) === kind) yield seats
  }

  /** The id of a room that is to be made; from now on others are sent there too. */
  #make({ game, options }: Wanted, asker: Asker, ref: number, refused: ReadonlySet<RoomId>): RoomId {
    const { newRoom, elsewhere } = this.#ports
    let n = 0
    while (refused.has(newRoom(asker, ref, n))) n += 1
    const room = newRoom(asker, ref, n)
    const { id, players } = game.runner
    elsewhere.made({ room, game: id, rules: game.hash, options, players: 0, free: players[1] - 1 })
    return room
  }

  /** Remembers the room before it is asked, for its answer may be lost. */
  async #ask(room: RoomId, [, ref, game]: MatchFrame, asker: Asker, seat: () => Promise<Answer>): Promise<Answer> {
    this.#matched.note(asker, ref, { game, room })
    const answer = await seat().catch((error): Answer => {
      if (error instanceof Refusal) return { refusal: error }
      throw error
    })
    if (isForOthers(answer)) this.#matched.forget(asker, ref, room)
    if ('refusal' in answer && answer.refusal.code === 'room_full') this.#ports.elsewhere.full(game, room)
    return answer
  }

  #seatHere(room: RoomId, frame: MatchFrame, asker: Asker): Promise<Answer> {
    return this.#ask(room, frame, asker, () => this.#seat(room, frame, asker))
  }

  async #seat(room: RoomId, frame: MatchFrame, asker: Asker): Promise<Answer> {
    const { by, session } = asker
    const { game, options } = this.#wanted(frame)
    const asked = { options, public: true }
    const live = await this.#ports.rooms.create(game, room, (at, seed) => [
      roomCreated(room, game, by, digest(asked), asked, { at, seed: seed() }),
    ])
    if (lookUp(live.state.windows, by, session, frame[1], 0).known === false) {
      const seats = seatsOf(live, this.#ports.clock.now(), by)
      if (seats === null) throw new Refusal('room_full', 'This room has no free seat.')
      if (seats.rules !== game.hash || !isFor(live, by) || !isDeepStrictEqual(seats.options, options))
        throw new Refusal('forbidden', 'This room is for others.')
    }
    return new Promise((resolve) => live.request(frame, asker, resolve))
  }
}

const isMoving = (): Refusal => new Refusal('unavailable', 'The queue is moving. Send it again.')

interface Wanted {
  readonly game: LoadedGame
  readonly options: unknown
}

type Seats = Pick<SeatsOfRoom, 'room' | 'players' | 'free'>

const isFuller = (a: Seats, b: Seats): boolean => a.players > b.players || (a.players === b.players && a.free < b.free)

/** Whoever plays in a room already looks for another one. */
const isFor = ({ state }: LiveRoom, by: PlayerId): boolean => !isPlayer(state, by) && !state.kicked.includes(by)

/** The room will not do for this player, or its engine does not have the same rules: another one may. */
const isForOthers = (answer: Answer): boolean => 'refusal' in answer && FOR_OTHERS.includes(answer.refusal.code)
const FOR_OTHERS: readonly ErrorCode[] = ['room_full', 'forbidden', 'not_found', 'invalid_payload']
