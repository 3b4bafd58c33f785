import type { ConnId, GatewayId } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type CallFrame, type CastFrame, OP, type PlayerId } from '../../protocol/frames.ts'
import { RulesError, type Runner } from '../rules/game.ts'
import type { Asker } from './admit.ts'
import type { Attachment, Attachments } from './attachments.ts'
import { AudienceCount } from './audience-count.ts'
import { Casts } from './casts.ts'
import { Chat } from './chat.ts'
import { isOut, isPlayer } from './membership.ts'
import { Outputs } from './outputs.ts'
import type { RoomState } from './state.ts'

/**
 * What passes in one room beside the log: CASTs, chat, and how many watch. It shows nothing that is not durable, is never
 * replayed, and may be dropped under pressure.
 */
export class Aside {
  readonly #attachments: Attachments
  readonly #state: () => RoomState
  readonly #send: (outputs: Outputs) => void
  readonly #casts: Casts
  readonly #chat: Chat
  readonly #watching: AudienceCount
  /** A game that names no audiences has none that change. */
  readonly #audiencesChange: boolean

  constructor(
    attachments: Attachments,
    state: () => RoomState,
    runner: Runner,
    clock: Clock,
    send: (outputs: Outputs) => void,
  ) {
    this.#attachments = attachments
    this.#state = state
    this.#send = send
    this.#casts = new Casts(clock, runner)
    this.#chat = new Chat(state().room, clock, runner)
    this.#watching = new AudienceCount(clock, () => this.#tellWatching())
    this.#audiencesChange = runner.namesAudiences
  }

  /** Throws Refusal `forbidden`, RulesError where the channel's rules throw. */
  cast(frame: CastFrame, by: PlayerId, from: { gateway: GatewayId; conn: ConnId | null }): void {
    const cast = this.#casts.send(frame, by, this.#state(), this.#attachments.listeners(), from)
    if (cast !== null) this.#tell(cast.frame, cast.to)
  }

  /** CALL `chat`: the id of the line. Throws Refusal, RulesError where the rules throw. */
  chat([, ref, , , params]: CallFrame, asker: Asker): { id: number } {
    const { rules } = this.#state()
    const plays = isPlayer(this.#state(), asker.by) && !isOut(this.#state(), asker.by)
    if (!plays && !this.#attachments.watches(asker.by))
      throw new Refusal('not_member', 'You are not in this room: JOIN it first.')
    const { id, frame, to } = this.#chat.write(asker, ref, params, plays ? 'player' : 'spectator', rules)
    if (frame !== null)
      this.#tell(
        frame,
        [...this.#attachments.listeners()].filter((member) => this.#chat.mayRead(rules, to, member)),
      )
    return { id }
  }

  /** The frames for a connection that has just joined: chat that it may read. */
  welcome(member: Attachment): Uint8Array[] {
    return this.#chat.welcome(member, this.#state().rules)
  }

  came(): void {
    if (this.#attachments.spectators > 0) this.#watching.changed()
  }

  went({ player, role }: Attachment): void {
    if (role === 'spectator') this.#watching.changed()
    if (this.#attachments.watches(player)) return
    this.#casts.forget(player)
    this.#chat.forget(player)
  }

  /** After a commit: who may write where now. A throw of the rules leaves the members with what they know. */
  committed(before: RoomState): void {
    const { rules } = this.#state()
    if (!this.#audiencesChange || before.rules === rules) return
    try {
      for (const [viewer, members] of viewers(this.#attachments.listeners())) {
        const frame = this.#chat.audiences(viewer, rules)
        if (frame !== null) this.#tell(frame, members)
      }
    } catch (error) {
      if (!(error instanceof RulesError)) throw error
    }
  }

  close(): void {
    this.#watching.close()
  }

  #tellWatching(): void {
    const count = this.#attachments.spectators
    this.#tell(encode([OP.note, this.#state().room, 'spectators', count]), this.#attachments.listeners())
  }

  #tell(frame: Uint8Array, to: Iterable<Attachment>): void {
    const { room, seq } = this.#state()
    const outputs = new Outputs(room, seq)
    const shown = { document: null, emits: [], ephemeral: [frame] }
    for (const attachment of to) outputs.add(attachment, shown)
    this.#send(outputs)
  }
}

/** The listeners by who they are: each player, and the spectators (null), who are there even when none is. */
const viewers = (listeners: Iterable<Attachment>): Map<PlayerId | null, Attachment[]> => {
  const byViewer = new Map<PlayerId | null, Attachment[]>([[null, []]])
  for (const member of listeners) {
    const viewer = member.role === 'player' ? member.player : null
    const members = byViewer.get(viewer)
    if (members === undefined) byViewer.set(viewer, [member])
    else members.push(member)
  }
  return byViewer
}
