import type { Clock } from '../../protocol/clock.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type CallFrame, type CastFrame, OP, type PlayerId, type SessionId } from '../../protocol/frames.ts'
import { RulesError, type Runner } from '../rules/game.ts'
import type { Asker } from './admit.ts'
import { type Attachment, type Attachments, viewerOf } from './attachments.ts'
import { AudienceCount } from './audience-count.ts'
import { Casts } from './casts.ts'
import { Chat } from './chat.ts'
import { isOut, isPlayer } from './membership.ts'
import { Outputs } from './outputs.ts'
import type { RoomState } from './state.ts'
import type { Visitor, Visits } from './visits.ts'

/** NOTEs that come so often that each held poll would end with one: they wait for what ends it. */
const WAITS: ReadonlySet<string> = new Set(['media.speaking'])

/**
 * What passes in one room beside the log: CASTs, chat, and how many watch. It shows nothing that is not durable, is never
 * replayed, and may be dropped under pressure.
 */
export class Aside {
  readonly #attachments: Attachments
  readonly #visits: Visits
  readonly #state: () => RoomState
  readonly #send: (outputs: Outputs) => void
  readonly #casts: Casts
  readonly #chat: Chat
  readonly #watching: AudienceCount
  /** A game that names no audiences has none that change. */
  readonly #audiencesChange: boolean

  constructor(
    attachments: Attachments,
    visits: Visits,
    state: () => RoomState,
    runner: Runner,
    clock: Clock,
    send: (outputs: Outputs) => void,
  ) {
    this.#attachments = attachments
    this.#visits = visits
    this.#state = state
    this.#send = send
    this.#casts = new Casts(clock, runner)
    this.#chat = new Chat(state().room, clock, runner)
    this.#watching = new AudienceCount(clock, () => this.#tellWatching())
    this.#audiencesChange = runner.namesAudiences
  }

  /** The session that sends it does not hear it. Throws Refusal `forbidden`, RulesError where the channel's rules throw. */
  cast(frame: CastFrame, by: PlayerId, session: SessionId): void {
    const cast = this.#casts.send(frame, by, this.#state())
    if (cast !== null) this.#tell(cast.frame, cast.mayReceive, { but: { player: by, session } })
  }

  /** CALL `chat`: the id of the line. Throws Refusal, RulesError where the rules throw. */
  chat([, ref, , , params]: CallFrame, asker: Asker): { id: number } {
    const { rules } = this.#state()
    const plays = isPlayer(this.#state(), asker.by) && !isOut(this.#state(), asker.by)
    if (!plays && !this.#attachments.watches(asker.by) && !this.#visits.watches(asker.by))
      throw new Refusal('not_member', 'You are not in this room: JOIN it first.')
    const { id, frame, to } = this.#chat.write(asker, ref, params, plays ? 'player' : 'spectator', rules)
    if (frame !== null) this.#tell(frame, (member) => this.#chat.mayRead(rules, to, member), { isWelcome: true })
    return { id }
  }

  /** The frames for a member who has just come: chat that it may read. */
  welcome(member: Viewer): Uint8Array[] {
    return this.#chat.welcome(member, this.#state().rules)
  }

  /** What a visitor, whom no connection told, missed since it was told last; one who is new, or asks to be, is welcomed. */
  missed({ player, role, session }: Visitor, isNew: boolean): Uint8Array[] {
    const welcome = isNew || this.#visits.isNew(player, session) ? this.welcome({ player, role }) : null
    const kept = this.#visits.read(player, session)
    const notes = this.#visits.takeNotes(player, session)
    if (welcome === null) return [...kept.map(({ frame }) => frame), ...notes]
    return [...welcome, ...kept.flatMap(({ frame, isWelcome }) => (isWelcome ? [] : [frame])), ...notes]
  }

  /** Somebody came. */
  came(): void {
    if (this.#watchers() > 0) this.#watching.changed()
  }

  /** One who was there in this role went. */
  went({ player, role }: Viewer): void {
    if (role === 'spectator') this.#watching.changed()
    if (this.#attachments.watches(player) || this.#visits.watches(player)) return
    this.#casts.forget(player)
    this.#chat.forget(player)
  }

  /** After a commit: who may write where now. A throw of the rules leaves the members with what they know. */
  committed(before: RoomState): void {
    const { rules } = this.#state()
    if (!this.#audiencesChange || before.rules === rules) return
    try {
      for (const viewer of this.#viewers()) {
        const frame = this.#chat.audiences(viewer, rules)
        if (frame !== null) this.#tell(frame, (member) => viewerOf(member) === viewer, { isWelcome: true })
      }
    } catch (error) {
      if (!(error instanceof RulesError)) throw error
    }
  }

  /** A NOTE for one session of a member. Where it has no connection, the newest of each topic is kept for its next poll. */
  note({ player, session }: Pick<Visitor, 'player' | 'session'>, topic: string, data: unknown): void {
    const { room, seq } = this.#state()
    const frame = encode([OP.note, room, topic, data])
    const to = this.#attachments.ofSession(player, session).filter(({ as }) => as !== 'held' || !WAITS.has(topic))
    if (to.length === 0) this.#visits.keepNote(player, session, topic, frame)
    const outputs = new Outputs(room, seq)
    for (const attachment of to) outputs.addAlone(attachment, { document: null, emits: [], ephemeral: [frame] })
    this.#send(outputs)
  }

  noteTo(isFor: (player: PlayerId) => boolean, topic: string, data: unknown): void {
    this.#tell(encode([OP.note, this.#state().room, topic, data]), ({ player }) => isFor(player), {})
  }

  close(): void {
    this.#watching.close()
  }

  #watchers(): number {
    return this.#attachments.spectators + this.#visits.spectators
  }

  #tellWatching(): void {
    this.#tell(encode([OP.note, this.#state().room, 'spectators', this.#watchers()]), () => true, {})
  }

  /** Each player who is there, and the spectators (null), who are there even when none is. */
  #viewers(): Set<PlayerId | null> {
    const viewers = new Set<PlayerId | null>([null])
    for (const member of this.#attachments.listeners()) viewers.add(viewerOf(member))
    for (const member of this.#visits.viewers()) viewers.add(viewerOf(member))
    return viewers
  }

  /** Sends it to the connections of those who may hear it, and keeps it for their visits. */
  #tell(
    frame: Uint8Array,
    mayHear: (member: Viewer) => boolean,
    { but, isWelcome = false }: { but?: { player: PlayerId; session: SessionId }; isWelcome?: boolean },
  ): void {
    const { room, seq } = this.#state()
    const to = this.#attachments
      .listeners()
      .filter((a) => (a.player !== but?.player || a.session !== but.session) && mayHear(a))
    const visitors = this.#visits.viewers().filter(mayHear)
    const outputs = new Outputs(room, seq)
    const shown = { document: null, emits: [], ephemeral: [frame] }
    for (const attachment of to) outputs.add(attachment, shown)
    this.#send(outputs)
    for (const visitor of visitors) {
      const by = but?.player === visitor.player ? but.session : null
      this.#visits.keep(visitor, { frame, by, isWelcome })
    }
  }
}

type Viewer = Pick<Attachment, 'player' | 'role'>
