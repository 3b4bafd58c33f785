import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId, Ref, Role, SessionId } from '../../protocol/frames.ts'
import { viewerOf } from './attachments.ts'
import { Backlog, type Kept } from './backlog.ts'

/** Sessions of one player that visit a room; above it the one that is over first gives way. */
const SESSIONS_PER_PLAYER = 8
/** Visits to one room; above it the spectator who was seen longest ago gives way. */
const VISITS_MOST = 20_000
/** A visit may last this much longer than it says: those of many are looked through at most this often. */
const SWEEP_MS = 200

export interface Visitor {
  readonly player: PlayerId
  readonly session: SessionId
  readonly role: Role
}

interface Visit extends Visitor {
  until: number
  /** Of the session's last JOIN over HTTP; 0 where none is known. */
  ref: Ref
  /** Up to where its viewer's backlog was read; null while its frames go over a connection. */
  place: number | null
  isRead: boolean
  /** The newest NOTE of each topic that is for it alone; null where there is none. */
  notes: Map<string, Uint8Array> | null
}

/**
 * Members of one room who were seen over HTTP lately, a session each. While a visit lasts its player is present, a spectator a
 * member, and what passes beside the log is kept for it. In memory only.
 */
export class Visits {
  readonly #clock: Clock
  readonly #ended: (visit: Visitor) => void
  /** Who was seen longest ago first. */
  readonly #visits = new Map<string, Visit>()
  readonly #byPlayer = new Map<PlayerId, readonly Visit[]>()
  /** By viewer (null: the spectators), of whom somebody visits. */
  readonly #backlogs = new Map<PlayerId | null, Backlog>()
  #spectators = 0
  #sweepAt = Number.POSITIVE_INFINITY
  #cancel: (() => void) | null = null

  /** `ended` is called for each visit that ends by time or gives way. */
  constructor(clock: Clock, ended: (visit: Visitor) => void) {
    this.#clock = clock
    this.#ended = ended
  }

  get size(): number {
    return this.#visits.size
  }

  /** Visitors who only watch, and have no connection. */
  get spectators(): number {
    return this.#spectators
  }

  watches(player: PlayerId): boolean {
    return this.#byPlayer.has(player)
  }

  has(player: PlayerId, session: SessionId): boolean {
    return this.#visits.has(keyOf(player, session))
  }

  /** Of the last JOIN over HTTP of this session; 0 where none is known. */
  refOf(player: PlayerId, session: SessionId): Ref {
    return this.#visits.get(keyOf(player, session))?.ref ?? 0
  }

  /** Each viewer of whom somebody visits: the players, and one spectator for all. */
  viewers(): readonly Pick<Visitor, 'player' | 'role'>[] {
    if (this.#backlogs.size === 0) return NOBODY
    return Array.from(this.#backlogs.keys(), (viewer) =>
      viewer === null ? { player: '', role: 'spectator' } : { player: viewer, role: 'player' },
    )
  }

  /** Begins a visit, or prolongs it. A new one is kept nothing for until `follow` says that it has no connection. */
  stay({ player, session, role }: Visitor, ms: number, ref: Ref): void {
    const key = keyOf(player, session)
    const before = this.#visits.get(key)
    const until = Math.max(before?.until ?? 0, this.#clock.now() + ms)
    if (before?.role === role) {
      before.until = until
      before.ref = Math.max(before.ref, ref)
      // Seen last: at the end.
      this.#visits.delete(key)
      this.#visits.set(key, before)
    } else {
      if (before !== undefined) this.#remove(before)
      this.#add({
        player,
        session,
        role,
        until,
        ref: Math.max(before?.ref ?? 0, ref),
        place: null,
        isRead: false,
        notes: null,
      })
    }
    this.#sweepBy(until)
  }

  /** Keeps a frame for all visits of this viewer. */
  keep(viewer: Pick<Visitor, 'player' | 'role'>, kept: Kept): void {
    this.#backlogs.get(viewerOf(viewer))?.push(kept)
  }

  /** Whether it is yet to be read for the first time. */
  isNew(player: PlayerId, session: SessionId): boolean {
    return this.#visits.get(keyOf(player, session))?.isRead !== true
  }

  /** What was kept for this visit since it was read last. */
  read(player: PlayerId, session: SessionId): readonly Kept[] {
    const visit = this.#visits.get(keyOf(player, session))
    if (visit === undefined) return []
    visit.isRead = true
    if (visit.place === null) return []
    const backlog = this.#backlog(visit)
    const kept = backlog.since(visit.place).filter(({ by }) => by !== session)
    visit.place = backlog.end
    return kept
  }

  /** Keeps a NOTE for one visit, in place of an older one of its topic. */
  keepNote(player: PlayerId, session: SessionId, topic: string, frame: Uint8Array): void {
    const visit = this.#visits.get(keyOf(player, session))
    if (visit === undefined) return
    visit.notes ??= new Map()
    visit.notes.delete(topic)
    visit.notes.set(topic, frame)
  }

  /** Takes the NOTEs that were kept for this visit alone. */
  takeNotes(player: PlayerId, session: SessionId): readonly Uint8Array[] {
    const visit = this.#visits.get(keyOf(player, session))
    if (!visit?.notes) return []
    const notes = [...visit.notes.values()]
    visit.notes = null
    return notes
  }

  /** A connection of this session came or went: while there is one, nothing is kept for its visit. */
  follow(player: PlayerId, session: SessionId, isConnected: boolean): void {
    const visit = this.#visits.get(keyOf(player, session))
    if (visit === undefined || (visit.place === null) === isConnected) return
    visit.place = isConnected ? null : this.#backlog(visit).end
    if (visit.role === 'spectator') this.#spectators += isConnected ? -1 : 1
  }

  /** Ends and returns the visits of a player, or of one session; `ended` is not called. */
  end(player: PlayerId, session?: SessionId): readonly Visitor[] {
    const visits = this.#byPlayer.get(player) ?? []
    const over = session === undefined ? visits : visits.filter((visit) => visit.session === session)
    for (const visit of over) this.#remove(visit)
    return over
  }

  close(): void {
    this.#cancel?.()
  }

  #add(visit: Visit): void {
    const { player, session } = visit
    const others = this.#byPlayer.get(player) ?? []
    const [first] = others.toSorted((a, b) => a.until - b.until)
    if (first !== undefined && others.length >= SESSIONS_PER_PLAYER) this.#giveWay(first)
    if (this.#visits.size >= VISITS_MOST) this.#giveWay(this.#oldestSpectator())
    this.#visits.set(keyOf(player, session), visit)
    this.#byPlayer.set(player, [...(this.#byPlayer.get(player) ?? []), visit])
    this.#backlog(visit).readers += 1
  }

  /** Players, who are few, are passed over. */
  #oldestSpectator(): Visit | undefined {
    for (const visit of this.#visits.values()) if (visit.role === 'spectator') return visit
    return undefined
  }

  #giveWay(visit: Visit | undefined): void {
    if (visit === undefined) return
    this.#remove(visit)
    this.#ended(visit)
  }

  #remove(visit: Visit): void {
    const { player, session, role } = visit
    this.#visits.delete(keyOf(player, session))
    const others = this.#byPlayer.get(player)?.filter((v) => v !== visit) ?? []
    if (others.length > 0) this.#byPlayer.set(player, others)
    else this.#byPlayer.delete(player)
    if (role === 'spectator' && visit.place !== null) this.#spectators -= 1
    const backlog = this.#backlog(visit)
    backlog.readers -= 1
    if (backlog.readers === 0) this.#backlogs.delete(viewerOf(visit))
  }

  #backlog(of: Pick<Visitor, 'player' | 'role'>): Backlog {
    const viewer = viewerOf(of)
    const backlog = this.#backlogs.get(viewer) ?? new Backlog()
    this.#backlogs.set(viewer, backlog)
    return backlog
  }

  #sweepBy(at: number): void {
    if (this.#sweepAt <= at) return
    this.#cancel?.()
    this.#sweepAt = at
    this.#cancel = this.#clock.after(at - this.#clock.now(), () => this.#sweep())
  }

  #sweep(): void {
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    const over: Visit[] = []
    for (const visit of this.#visits.values()) {
      if (visit.until <= now) over.push(visit)
      else next = Math.min(next, visit.until)
    }
    this.#sweepAt = Number.POSITIVE_INFINITY
    if (next < Number.POSITIVE_INFINITY) this.#sweepBy(Math.max(next, now + SWEEP_MS))
    for (const visit of over) this.#giveWay(visit)
  }
}

const NOBODY: readonly Visitor[] = []
const keyOf = (player: PlayerId, session: SessionId): string => `${session} ${player}`
