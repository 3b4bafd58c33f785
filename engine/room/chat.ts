import type { Clock } from '../../protocol/clock.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { OP, type PlayerId, type Ref, type RoomId, type SessionId } from '../../protocol/frames.ts'
import type { RulesState, Runner } from '../rules/game.ts'
import { belongs } from '../rules/views.ts'
import type { Asker } from './admit.ts'
import { Allowances } from './allowance.ts'
import type { Attachment } from './attachments.ts'

const LINES_KEPT = 100
const TEXT_MOST = 500
/** Lines that one member may write at once, and sustained. */
const BURST = 5
const LINES_PER_SECOND = 1

interface Line {
  readonly id: number
  readonly from: PlayerId
  readonly name: string
  readonly to: string
  readonly text: string
  readonly at: number
}

interface Kept {
  readonly line: Line
  readonly session: SessionId
  readonly ref: Ref
  /** What the rules were when it was written: who may read it then may read it later. */
  readonly rules: RulesState | null
}

type Member = Pick<Attachment, 'player' | 'role'>

/**
 * The text chat of one room: per audience, as far as the rules allow, rate-limited, not in the log. The last lines stay in
 * memory for those who come; they are gone when the room leaves memory.
 */
export class Chat {
  readonly #room: RoomId
  readonly #clock: Clock
  readonly #runner: Runner
  #lines: Kept[] = []
  #next = 1
  readonly #allowances: Allowances
  /** What each player, and all spectators (null), were last told that they may write to. */
  readonly #told = new Map<PlayerId | null, string>()

  constructor(room: RoomId, clock: Clock, runner: Runner) {
    this.#room = room
    this.#clock = clock
    this.#allowances = new Allowances(clock)
    this.#runner = runner
  }

  /**
   * Takes a line; returns its id and, unless it was sent again, the NOTE for those who may read it. Throws Refusal
   * (`invalid_payload`, `forbidden`, `rate_limited`), RulesError where the rules throw.
   */
  write(
    asker: Asker,
    ref: Ref,
    params: unknown,
    role: Attachment['role'],
    rules: RulesState | null,
  ): { id: number; frame: Uint8Array | null; to: string } {
    const before = this.#lines.find(
      ({ line, ...kept }) => line.from === asker.by && kept.session === asker.session && kept.ref === ref,
    )
    if (before !== undefined) return { id: before.line.id, frame: null, to: before.line.to }
    const member = role === 'player' ? asker.by : null
    const { text, to = ownAudience(member) } = parse(params)
    if (!this.#runner.chatAudiences.includes(to) || !this.#mayWrite(rules, to, member))
      throw new Refusal('forbidden', `You may not write to "${to}" now.`)
    const retryAfter = this.#allowances.draw(asker.by, BURST, LINES_PER_SECOND)
    if (retryAfter > 0) throw new Refusal('rate_limited', 'Not so fast: one line a second.', { retryAfter })
    const line = { id: this.#next, from: asker.by, name: asker.name, to, text, at: this.#clock.now() }
    this.#next += 1
    this.#lines = [...this.#lines.slice(-(LINES_KEPT - 1)), { line, session: asker.session, ref, rules }]
    return { id: line.id, frame: this.#note(line), to }
  }

  mayRead(rules: RulesState | null, to: string, { player, role }: Member): boolean {
    const viewer = role === 'player' ? player : null
    return rules === null ? belongs(to, viewer) : this.#runner.mayRead(rules, to, viewer)
  }

  /** The NOTEs for somebody who comes: the lines that this member could read when they were written, and where to write. */
  welcome(member: Member, rules: RulesState | null): Uint8Array[] {
    const lines = this.#lines.filter((kept) => this.mayRead(kept.rules, kept.line.to, member))
    const viewer = member.role === 'player' ? member.player : null
    const to = this.#writable(viewer, rules)
    this.#told.set(viewer, to.join())
    const notes = lines.map(({ line }) => this.#note(line))
    return to.join() === ownAudience(viewer) ? notes : [...notes, this.#writableNote(to)]
  }

  /** A NOTE with the audiences that this player, or the spectators (null), may write to, where that is not what they know. */
  audiences(viewer: PlayerId | null, rules: RulesState | null): Uint8Array | null {
    const to = this.#writable(viewer, rules)
    if ((this.#told.get(viewer) ?? ownAudience(viewer)) === to.join()) return null
    this.#told.set(viewer, to.join())
    return this.#writableNote(to)
  }

  /** Forgets what is kept of a member who has no connection left. */
  forget(player: PlayerId): void {
    this.#allowances.forget(player)
    this.#told.delete(player)
  }

  #mayWrite(rules: RulesState | null, to: string, member: PlayerId | null): boolean {
    return rules === null ? belongs(to, member) : this.#runner.mayWrite(rules, to, member)
  }

  #writable(viewer: PlayerId | null, rules: RulesState | null): string[] {
    return this.#runner.chatAudiences.filter((audience) => this.#mayWrite(rules, audience, viewer))
  }

  #writableNote(to: readonly string[]): Uint8Array {
    return encode([OP.note, this.#room, 'chat.audiences', { to }])
  }

  #note(line: Line): Uint8Array {
    return encode([OP.note, this.#room, 'chat', line])
  }
}

/** Where a member writes who was told nothing else. */
const ownAudience = (viewer: PlayerId | null): string => (viewer === null ? 'spectators' : 'players')

const CONTROL = /\p{Cc}/u

const parse = (params: unknown): { text: string; to?: string } => {
  const { text, to }: { text?: unknown; to?: unknown } = typeof params === 'object' && params !== null ? params : {}
  const issue = (path: string, message: string): Refusal =>
    new Refusal('invalid_payload', `chat: ${path}: ${message}`, [{ path: [path], message }])
  if (typeof text !== 'string' || text.trim() === '') throw issue('text', 'text is expected')
  const words = text.trim().normalize('NFC')
  if ([...words].length > TEXT_MOST) throw issue('text', `at most ${TEXT_MOST} characters`)
  if (CONTROL.test(words)) throw issue('text', 'no control characters')
  if (to === undefined || to === null) return { text: words }
  if (typeof to !== 'string') throw issue('to', 'the name of an audience is expected')
  return { text: words, to }
}
