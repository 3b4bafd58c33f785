import type { Clock } from '../../protocol/clock.ts'
import { encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type CastFrame, OP, type PlayerId } from '../../protocol/frames.ts'
import type { Runner } from '../rules/game.ts'
import { Allowances } from './allowance.ts'
import type { Attachment } from './attachments.ts'
import { isOut, isPlayer } from './membership.ts'
import type { RoomState } from './state.ts'

/** The ephemeral channels of one room: what players send each other past the log, as far as the rules allow. */
export class Casts {
  readonly #runner: Runner
  /** By channel and player. */
  readonly #rates: Allowances

  constructor(clock: Clock, runner: Runner) {
    this.#runner = runner
    this.#rates = new Allowances(clock)
  }

  /**
   * The CAST frame and who may receive it, or null where it is over its rate or size and is dropped. Throws Refusal `forbidden`,
   * RulesError where the channel's rules throw, as `mayReceive` does.
   */
  send(
    [, room, channel, payload]: CastFrame,
    by: PlayerId,
    state: RoomState,
  ): { frame: Uint8Array; mayReceive: (member: Pick<Attachment, 'player' | 'role'>) => boolean } | null {
    const { rules } = state
    const plays = isPlayer(state, by) && !isOut(state, by)
    const declared = Object.hasOwn(this.#runner.channels, channel) ? this.#runner.channels[channel] : undefined
    if (declared === undefined) throw new Refusal('forbidden', `This game has no channel "${channel}".`)
    if (rules === null || !plays || !this.#runner.mayCast(rules, channel, by))
      throw new Refusal('forbidden', `You may not send on "${channel}" now.`)
    if (this.#rates.draw(`${channel} ${by}`, declared.rate, declared.rate) > 0) return null
    if (encode(payload ?? null).length > declared.maxBytes + HEADER_BYTES) return null
    return {
      frame: encode([OP.castOut, room, by, channel, payload ?? null]),
      mayReceive: ({ player, role }) => this.#runner.mayReceive(rules, channel, by, role === 'player' ? player : null),
    }
  }

  /** Forgets a player's rates once the player has no connection left. */
  forget(player: PlayerId): void {
    for (const channel of Object.keys(this.#runner.channels)) this.#rates.forget(`${channel} ${player}`)
  }
}

/** The msgpack header of binary or text, which does not count for the channel's `maxBytes`. */
const HEADER_BYTES = 5
