import { isRetryable } from '../../protocol/errors.ts'
import {
  type ErrFrame,
  type OkFrame,
  OP,
  type Ref,
  type RoomId,
  type Seq,
  type ServerFrame,
} from '../../protocol/frames.ts'
import { type Bye, byeOf } from '../link.ts'
import type { Channel, ChannelPort } from './channel.ts'
import type { Held } from './held.ts'
import { patient } from './longpoll.ts'
import { PollChannel, steady } from './poll.ts'
import { SseChannel } from './sse.ts'
import { isMediaCall, type Upward } from './uplink.ts'

/** So often a channel may end before it has begun, or a room may say that it knows no such member. */
const STRAYS = 3
/** A stream that lasted this long did its work, ms. */
const STEADY_MS = 5_000
/** So many streams in a row that did not last, and event streams do not work here. */
const SHORT_STREAMS = 2

/** Rooms whose stream or poll is held open; the others are polled. A browser opens six connections to a host, and what goes up needs one. */
const HELD_OPEN = 4

/** What the rooms need of their link. */
export interface RoomsPort extends Pick<ChannelPort, 'environment' | 'http' | 'refused' | 'unfit'> {
  readonly transport: 'sse' | 'longpoll' | 'poll'
  /** Ms between two polls. */
  readonly pollInterval: number
  frame(frame: ServerFrame, atHead: boolean): void
  adrift(room: RoomId): void
  bye(bye: Bye): void
  /** This room cannot be read, however often it is joined. */
  unreadable(room: RoomId): void
  /** What came as events. */
  events(text: string, frames: readonly unknown[]): void
}

/**
 * The rooms of an HTTP link. A JOIN's OK opens the room's channel, and goes on once the channel has begun, so that the document
 * follows it as on a socket; other answers of the room go on once the channel has brought what they answer to. A few rooms are held open,
 * as streams or polls; those beyond are polled.
 */
export class Rooms {
  readonly #port: RoomsPort
  readonly #channels = new Map<RoomId, Channel>()
  /** Of the JOIN that opened each channel. */
  readonly #joins = new Map<RoomId, Ref>()
  readonly #heldOpen = new Set<RoomId>()
  #strays = 0
  #shortStreams = 0
  #over = false

  constructor(port: RoomsPort) {
    this.#port = port
  }

  /** What was asked has its answer; undefined where nobody knows what. */
  answered(frame: OkFrame | ErrFrame, asked: Upward | undefined): void {
    if (this.#over) return
    if (frame[0] === OP.ok) this.#ok(frame, asked)
    else this.#err(frame, asked)
  }

  probe(): void {
    for (const channel of [...this.#channels.values()]) channel.probe()
  }

  end(): void {
    this.#over = true
    for (const channel of this.#channels.values()) channel.end()
    this.#channels.clear()
  }

  #ok(frame: OkFrame, asked: Upward | undefined): void {
    const deliver = (): void => this.#deliver(frame)
    const channel = this.#channels.get(asked?.room ?? '')
    if (asked?.op === OP.join && asked.room !== null && this.#isNew(asked)) {
      this.#open(asked.room, sinceOf(asked.frame[3]), deliver)
      this.#joins.set(asked.room, frame[1])
    } else if (!asked || !channel) {
      deliver()
    } else if (asked.op === OP.leave) {
      this.#left(asked)
      deliver()
    } else {
      channel.whenShown(shownBy(asked, frame[2]), deliver)
      channel.nudge()
    }
  }

  #err(frame: ErrFrame, asked: Upward | undefined): void {
    const deliver = (): void => this.#deliver(frame)
    const [, , code] = frame
    if (asked?.op === OP.leave && (code === 'not_member' || code === 'not_found')) this.#left(asked)
    if (asked?.op === OP.join && !isRetryable(code)) this.#left(asked)
    const channel = this.#channels.get(asked?.room ?? '')
    if (channel) channel.whenShown(0, deliver)
    else deliver()
  }

  #deliver(frame: ServerFrame): void {
    if (!this.#over) this.#port.frame(frame, false)
  }

  /** This answer says that one is out of the room. */
  #left(asked: Upward): void {
    if (this.#isNew(asked)) this.#close(asked.room)
  }

  /** False of an answer that comes late, when the room has been joined again since: what it says is not about that. */
  #isNew({ room, ref }: Upward): boolean {
    return room !== null && ref !== null && ref >= (this.#joins.get(room) ?? 0)
  }

  #close(room: RoomId | null): void {
    const channel = this.#channels.get(room ?? '')
    this.#forget(room ?? '')
    channel?.end()
  }

  #forget(room: RoomId): void {
    this.#channels.delete(room)
    this.#joins.delete(room)
    this.#heldOpen.delete(room)
  }

  /** What the earlier channel held back is let go before this JOIN's OK: who joins again waits for the document anyway. */
  #open(room: RoomId, since: Seq | null, ok: () => void): void {
    this.#close(room)
    const { environment, http, transport, pollInterval } = this.#port
    let begun = false
    const begin = (): void => {
      if (begun) return
      begun = true
      ok()
    }
    const mine = (): boolean => !this.#over && this.#channels.get(room) === channel
    const port: ChannelPort = {
      environment,
      http,
      room,
      since,
      begun: () => {
        this.#strays = 0
        begin()
      },
      frame: (frame, atHead) => {
        if (mine()) this.#took(room, frame, atHead)
      },
      adrift: () => {
        if (mine()) this.#adrift(room, channel, begin)
      },
      refused: (answer, times) => {
        if (answer?.status !== 403 && answer?.status !== 404) return this.#port.refused(answer, times)
        port.adrift()
        return null
      },
      unfit: (reason) => {
        if (mine()) this.#port.unfit(reason)
      },
    }
    const polled = (held?: Held): Channel => new PollChannel(port, steady(pollInterval), held)
    const opened = (): Channel => {
      if (transport === 'poll' || this.#heldOpen.size >= HELD_OPEN) return polled()
      this.#heldOpen.add(room)
      if (transport === 'longpoll') return new PollChannel(port, patient())
      return new SseChannel({
        ...port,
        heard: (text, frames) => this.#port.events(text, frames),
        broke: (lasted) => this.#broke(lasted, port),
        crowded: (held) => {
          if (!mine()) return
          this.#heldOpen.delete(room)
          channel = polled(held)
          this.#channels.set(room, channel)
        },
      })
    }
    let channel = opened()
    this.#channels.set(room, channel)
  }

  #took(room: RoomId, frame: ServerFrame, atHead: boolean): void {
    if (frame[0] === OP.bye) {
      this.#port.bye(byeOf(frame))
      return
    }
    this.#port.frame(frame, atHead)
    if (frame[0] === OP.note && (frame[2] === 'kicked' || frame[2] === 'left')) this.#close(room)
  }

  /** The JOIN's OK goes first, so that the membership may join again; then what was held back, which waits there for the document. */
  #adrift(room: RoomId, channel: Channel, begin: () => void): void {
    this.#forget(room)
    begin()
    if (++this.#strays > STRAYS) this.#port.unreadable(room)
    else this.#port.adrift(room)
    channel.end()
  }

  #broke(lasted: number, port: ChannelPort): void {
    this.#shortStreams = lasted >= STEADY_MS ? 0 : this.#shortStreams + 1
    if (this.#shortStreams >= SHORT_STREAMS) port.unfit('event streams break off')
    else port.adrift()
  }
}

const sinceOf = (extra: unknown): Seq | null => {
  const since: unknown = typeof extra === 'object' && extra !== null ? Reflect.get(extra, 'since') : null
  return typeof since === 'number' ? since : null
}

/** What the document must show before this answer: nothing for calls that leave no event behind. */
const shownBy = (asked: Upward, value: unknown): Seq | null => {
  const { op, frame } = asked
  if (op === OP.move && typeof value === 'number') return value
  return isMediaCall(asked) || (op === OP.call && frame[3] === 'chat') ? 0 : null
}
