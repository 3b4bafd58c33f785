import { isDeepStrictEqual } from 'node:util'
import { Refusal } from '../../protocol/errors.ts'
import type { MatchFrame, RoomId } from '../../protocol/frames.ts'
import type { Asker } from '../room/admit.ts'
import type { Answer } from '../room/batch.ts'
import { digest } from '../room/digest.ts'
import type { LiveRoom } from '../room/live.ts'
import { freeSeats, isConnected, isPlayer, takesPlayers } from '../room/membership.ts'
import { lookUp } from '../room/window.ts'
import type { Runner } from '../rules/game.ts'
import { gameNamed, roomCreated } from './creation.ts'
import type { Library } from './library.ts'
import type { Rooms } from './rooms.ts'

interface MatchingPorts {
  readonly rooms: Rooms
  readonly library: Library
  readonly now: () => number
  /** Resolves once the rooms that were live before a restart are in memory: a retry finds its answer there. */
  readonly ready: () => Promise<void>
  /** The id of the room that a MATCH makes where none has a seat: the same for each retry. */
  readonly newRoom: (asker: Asker, ref: number) => RoomId
}

/**
 * Seats players who ask for any public room of a game. One request per game at a time, so that two never make a room each
 * where one would do. The seat is logged in its room with the request's ref: there a retry finds its answer, also after a
 * restart.
 */
export class Matching {
  readonly #ports: MatchingPorts
  readonly #lines = new Map<string, Promise<unknown>>()

  constructor(ports: MatchingPorts) {
    this.#ports = ports
  }

  match(frame: MatchFrame, asker: Asker): Promise<Answer> {
    const [, , game] = frame
    const turn = (this.#lines.get(game) ?? Promise.resolve()).then(() => this.#seat(frame, asker))
    const line = turn.catch(() => undefined)
    this.#lines.set(game, line)
    void line.then(() => this.#lines.get(game) === line && this.#lines.delete(game))
    return turn
  }

  async #seat(frame: MatchFrame, asker: Asker): Promise<Answer> {
    const { rooms, library, now, newRoom, ready } = this.#ports
    await ready()
    const [, ref, id, raw] = frame
    const game = gameNamed(id, library)
    const options = game.runner.parseOptions(raw)
    if (rooms.lacks(id)) throw new Refusal('unavailable', 'Rooms of this game are being read. Send it again.')
    const answered = this.#answeredBefore(frame, asker)
    if (answered !== undefined) return request(answered, frame, asker)
    const open = this.#open(game.hash, game.runner, options, asker, now())
    for (const room of open) {
      const answer = await request(room, frame, asker)
      if (!('refusal' in answer) || answer.refusal.code !== 'room_full') return answer
    }
    const room = newRoom(asker, ref)
    const asked = { options, public: true }
    const made = await rooms.create(game, room, (at, seed) => [
      roomCreated(room, game, asker.by, digest(asked), asked, { at, seed: seed() }),
    ])
    return request(made, frame, asker)
  }

  /** Whether the content is the same is for the room to say. */
  #answeredBefore([, ref, game]: MatchFrame, { by, session }: Asker): LiveRoom | undefined {
    for (const room of this.#ports.rooms.publicOf(game))
      if (lookUp(room.state.windows, by, session, ref, 0).known !== false) return room
    return undefined
  }

  /** Rooms with a free seat: those with most players first, so that games begin. */
  #open(hash: string, runner: Runner, options: unknown, { by }: Asker, at: number): LiveRoom[] {
    const fits = ({ state, game }: LiveRoom): boolean =>
      game.hash === hash &&
      takesPlayers(state, runner) &&
      !isPlayer(state, by) &&
      !state.kicked.includes(by) &&
      freeSeats(state, runner, by, at) > 0 &&
      (state.players.length === 0 || state.players.some((p) => isConnected(state, p))) &&
      isDeepStrictEqual(state.options, options)
    return [...this.#ports.rooms.publicOf(runner.id)]
      .filter(fits)
      .sort((a, b) => b.state.players.length - a.state.players.length)
  }
}

const request = (room: LiveRoom, frame: MatchFrame, asker: Asker): Promise<Answer> =>
  new Promise((resolve) => room.request(frame, asker, resolve))
