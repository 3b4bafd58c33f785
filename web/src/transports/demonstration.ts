import { connect, type Room, type Session, type TransportName } from '../../../client/client.ts'
import { MadangError } from '../../../client/error.ts'
import { TRANSPORTS } from '../../../client/link.ts'
import { type Readable, Store } from '../../../client/store.ts'
import type tictactoe from '../../../games/tictactoe/rules.ts'
import { Meter, type Reading } from './meter.ts'

/** How long a move is looked at before the next one, when the table plays by itself. */
const PACE_MS = 1_200
const CELLS = 9

export type Game = Room<typeof tictactoe>

interface Watcher {
  readonly meter: Meter
  readonly session: Session
  room: Game | null
}

export interface Scene {
  /** The visitor's own session, and the room as it sees it. */
  readonly session: Session
  readonly room: Room
  readonly game: Game
}

/**
 * A live room of tic-tac-toe that is watched over all four transports at once, for the page that compares them: the visitor
 * and a guest of the page play, four spectators look on, one over each transport. A move's latency runs from its sending to the
 * document with it, by this page's own clock.
 */
export class Demonstration {
  readonly #meters = TRANSPORTS.map((transport) => new Meter(transport, () => this.#changed()))
  readonly #readings = new Store<readonly Reading[]>(this.#meters.map(({ reading }) => reading))
  readonly #scene = new Store<Scene | null>(null)
  readonly #trouble = new Store<MadangError | null>(null)
  readonly #isPlaying = new Store(false)
  readonly #sessions: Session[] = []
  #other: Game | null = null
  #watchers: readonly Watcher[] = []
  /** When the move was sent that made this many marks in this room. */
  #sent: { room: string; marks: number; at: number } | null = null
  #timer: number | undefined
  #frame = 0
  #isOver = false

  /** What each transport has cost so far. */
  get readings(): Readable<readonly Reading[]> {
    return this.#readings
  }

  get scene(): Readable<Scene | null> {
    return this.#scene
  }

  /** Why there is no scene. */
  get trouble(): Readable<MadangError | null> {
    return this.#trouble
  }

  /** Whether the table plays by itself. */
  get isPlaying(): Readable<boolean> {
    return this.#isPlaying
  }

  /** Opens the room and lets everybody in. */
  async open(): Promise<void> {
    try {
      const session = this.#guest('Ann', {})
      const other = this.#guest('Bob', { transport: 'websocket' })
      this.#watchers = this.#meters.map((meter) => {
        const watcher = this.#guest(meter.transport, { transport: meter.transport })
        meter.observe(watcher)
        return { meter, session: watcher, room: null }
      })
      await this.#enter(session, other, await session.create('tictactoe'))
    } catch (error) {
      if (!this.#isOver)
        this.#trouble.set(error instanceof MadangError ? error : new MadangError('internal', String(error)))
    }
  }

  /** A mark is being sent to this room now: the watchers' clocks start. */
  sending(room: Game): void {
    this.#sent = { room: room.id, marks: marksOf(room.document.game) + 1, at: performance.now() }
  }

  play(isPlaying: boolean): void {
    this.#isPlaying.set(isPlaying)
    this.#pace()
  }

  close(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const session of this.#sessions) session.close()
    cancelAnimationFrame(this.#frame)
  }

  /** Shows what changed with the next frame of the screen, however much it is. */
  #changed(): void {
    if (this.#frame !== 0 || this.#isOver) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.#readings.set(this.#meters.map(({ reading }) => reading))
    })
  }

  #guest(name: string, options: { transport?: TransportName }): Session {
    const session = connect({ url: location.origin, guest: name, ...options })
    this.#sessions.push(session)
    return session
  }

  async #enter(session: Session, other: Session, id: string): Promise<void> {
    const game = await session.join<typeof tictactoe>(id)
    const room = await session.join(id)
    this.#other = await other.join<typeof tictactoe>(id)
    for (const watcher of this.#watchers) void this.#watch(watcher, id)
    this.#scene.set({ session, room, game })
    game.subscribe(({ document }) => {
      if (document.room.next !== undefined && this.#scene.current?.game === game)
        void this.#enter(session, other, document.room.next).catch(() => {})
      else this.#pace()
    })
    this.#pace()
  }

  /** Watches this room instead of the one before, whose streams and polls would cost on. */
  async #watch(watcher: Watcher, id: string): Promise<void> {
    const { meter, session } = watcher
    const room = await session.join<typeof tictactoe>(id, { role: 'spectator' }).catch((error: Error) => {
      if (!this.#isOver) meter.failed(error.message)
    })
    watcher.room?.leave().catch(() => {})
    watcher.room = room ?? null
    let marks = 0
    room?.subscribe(({ document }) => {
      const now = marksOf(document.game)
      const sent = this.#sent
      if (now > marks && sent?.room === id && sent.marks === now) meter.saw(performance.now() - sent.at)
      marks = now
    })
  }

  /** Lets whoever is to move mark a free cell after a while: the other player always, the visitor where the table plays by itself. */
  #pace(): void {
    clearTimeout(this.#timer)
    const scene = this.#scene.current
    if (scene === null || this.#isOver) return
    const { game, session } = scene
    const { phase } = game.document.room
    const turn = game.document.game?.turn
    const isMine = turn === session.player?.id
    if (phase === 'over' ? !this.#isPlaying.current : isMine && !this.#isPlaying.current) return
    this.#timer = window.setTimeout(() => {
      void this.#step(phase === 'over' ? null : isMine ? game : this.#other, game)
    }, PACE_MS)
  }

  async #step(mover: Game | null, room: Game): Promise<void> {
    try {
      if (mover === null) await room.again()
      else {
        const free = freeCells(mover)
        const cell = free[Math.floor(Math.random() * free.length)]
        if (cell === undefined) return
        this.sending(mover)
        await mover.move.mark({ cell })
      }
    } catch {
      // Refused or lost on the way: it is somebody else's turn now, or the connection says so itself.
      this.#pace()
    }
  }
}

const freeCells = (room: Game): number[] =>
  Array.from({ length: CELLS }, (_, cell) => cell).filter((cell) => room.document.game?.cells[cell] === null)

const marksOf = (game: Game['document']['game']): number =>
  game === null ? 0 : game.cells.filter((owner) => owner !== null).length
