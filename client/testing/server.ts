import { apply } from '../../protocol/apply.ts'
import type { Clock } from '../../protocol/clock.ts'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import {
  type GameEvent,
  OP,
  type PlayerId,
  type Ref,
  type Role,
  type RoomDocument,
  type Seq,
  type ServerFrame,
} from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import { diff } from '../../protocol/patch.ts'
import type { Visitor } from './http.ts'
import type { ServerEnd, ServerListener } from './network.ts'

export const ROOM = 'r1'
const KEPT_ANSWERS = 64

interface Tally {
  total: number
  last: { by: PlayerId; n: number } | null
}
type TallyDocument = RoomDocument<Tally>

interface Connection {
  readonly end: ServerEnd
  session: string | null
  player: PlayerId | null
  /** Where this connection stands in the room; null: not in it. */
  seq: Seq | null
  /** Something was lost on the way to it. */
  behind: boolean
}

/** What the server does wrong on purpose: each is asked for every frame that it concerns. */
export interface Faults {
  /** This answer becomes `unavailable`; the request took effect all the same. */
  hideAnswer(): boolean
  /** This request becomes `unavailable`, or `rate_limited`, before it takes effect. */
  refuse(): { code: ErrorCode; detail?: unknown } | null
  /** What this commit shows to another player's connection is lost. It then gets nothing until a PATCH that does not fit. */
  lose(): boolean
  /** This OK, PATCH or STATE comes twice. */
  double(): boolean
}

const noFaults: Faults = { hideAnswer: () => false, refuse: () => null, lose: () => false, double: () => false }

/**
 * The server's side of the protocol for one room, `r1`, in memory. Its game: `add {n}` adds to a total that all see and emits
 * `added`; `hush {n}` emits and changes nothing that anyone sees; a negative n is an illegal move. Tokens are `token-<player>`.
 */
export class TestServer {
  faults: Faults = noFaults
  /** All moves that took effect, in order. */
  readonly log: { by: PlayerId; type: string; n: number; seq: Seq }[] = []
  /** All frames that came, but PINGs. */
  readonly received: unknown[][] = []
  pings = 0
  /** How many past documents a PATCH may start from. */
  ring = 64
  #document: TallyDocument = {
    room: { phase: 'playing', game: 'tally', version: 1, host: 'ann', players: [], members: {} },
    game: { total: 0, last: null },
  }
  #seq: Seq = 1
  /** The seq at which the document last changed. */
  #changed: Seq = 1
  #rooms = 1
  readonly #past = new Map<Seq, TallyDocument>()
  readonly #emits: { seq: Seq; event: GameEvent }[] = []
  readonly #roles = new Map<PlayerId, Role>()
  readonly #answers = new Map<string, Map<Ref, ServerFrame>>()
  readonly #connections = new Set<Connection>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    this.#past.set(1, this.#document)
  }

  get document(): TallyDocument {
    return this.#document
  }

  get seq(): Seq {
    return this.#seq
  }

  get changed(): Seq {
    return this.#changed
  }

  isMember(player: PlayerId): boolean {
    return this.#roles.has(player)
  }

  /** Called after each commit. */
  onCommit: () => void = () => {}

  readonly accept = (end: ServerEnd): ServerListener => {
    const connection: Connection = { end, session: null, player: null, seq: null, behind: false }
    this.#connections.add(connection)
    return {
      message: (bytes) => {
        const frame = decode(bytes)
        if (Array.isArray(frame)) this.#take(connection, frame)
      },
      gone: () => {
        this.#connections.delete(connection)
      },
    }
  }

  /** Takes a frame that was posted; `answer` gets what answers it. */
  posted({ player, session }: Visitor, frame: unknown[], answer: (frame: ServerFrame) => void): void {
    const end: ServerEnd = {
      send: (bytes) => {
        const frame = parseServerFrame(decode(bytes, SERVER_LIMITS))
        if (frame && (frame[0] === OP.ok || frame[0] === OP.err || frame[0] === OP.pong)) answer(frame)
      },
      close: () => {},
    }
    this.#take({ end, session, player, seq: null, behind: false }, frame)
  }

  /** A stream of the room from `since` on; returns the end of it. */
  streamed({ player, session }: Visitor, since: Seq, end: ServerEnd): () => void {
    const connection: Connection = { end, session, player, seq: null, behind: false }
    this.#connections.add(connection)
    this.#catchUp(connection, since === 0 ? undefined : since)
    return () => {
      this.#connections.delete(connection)
    }
  }

  /** What a poll brings: null where nothing happened since. */
  read(since: Seq): ServerFrame[] | null {
    const emits = this.#emits.filter(({ seq }) => seq > since)
    if (since >= this.#changed && emits.length === 0) return null
    const past = this.#pastAt(since)
    const first: ServerFrame =
      past === undefined
        ? [OP.state, ROOM, this.#seq, this.#document]
        : [OP.patch, ROOM, since, this.#seq, diff(past, this.#document)]
    return [first, ...emits.map(({ seq, event }): ServerFrame => [OP.emit, ROOM, seq, event])]
  }

  /** Sends a frame to every connection as it is. */
  say(frame: ServerFrame): void {
    for (const connection of this.#connections) this.#send(connection, frame)
  }

  closeAll(code: number, reason = ''): void {
    for (const { end } of this.#connections) end.close(code, reason)
  }

  kick(player: PlayerId): void {
    this.#roles.delete(player)
    for (const connection of this.#connections) {
      if (connection.player !== player) continue
      connection.seq = null
      this.#send(connection, [OP.note, ROOM, 'kicked', null])
    }
  }

  /** Nobody is told. */
  forget(player: PlayerId): void {
    this.#roles.delete(player)
  }

  /** A move from elsewhere. */
  add(by: PlayerId, n: number): void {
    this.#commit(by, 'add', n)
  }

  /** A move from elsewhere that nobody sees but by its EMITs. */
  hush(): void {
    this.#commit('ben', 'hush', 0)
  }

  #take(connection: Connection, frame: unknown[]): void {
    const [op] = frame
    if (op === OP.ping) this.pings++
    else this.received.push(frame)
    if (op === OP.hello) {
      this.#hello(connection, frame)
      return
    }
    if (connection.session === null) {
      connection.end.close(1008, 'HELLO first')
      return
    }
    if (op === OP.ping) {
      this.#send(connection, [OP.pong, Number(frame[1]), this.#clock.now() + 5_000])
      return
    }
    if (op === OP.cast) {
      this.#cast(connection, frame)
      return
    }
    if (op === OP.input) return
    this.#request(connection, frame, Number(frame[1]))
  }

  #hello(connection: Connection, [, hello]: unknown[]): void {
    const { token, session } = hello as { token?: string; session: string }
    const player = /^token-(\w+)$/.exec(token ?? '')?.[1]
    if (player === undefined) {
      this.#send(connection, [OP.err, null, 'unauthorized', 'the token is not valid'])
      connection.end.close(4001)
      return
    }
    connection.session = `${player}/${session}`
    connection.player = player
    const limits = { frame: 16_384, rate: 50 }
    const now = this.#clock.now() + 5_000
    this.#send(connection, [
      OP.welcome,
      { v: 1, session, player: { id: player, name: player }, now, resumed: true, limits },
    ])
  }

  #cast(connection: Connection, [, room, channel, payload]: unknown[]): void {
    if (channel !== 'talk') {
      this.#send(connection, [OP.err, null, 'forbidden', 'no such channel'])
      return
    }
    for (const other of this.#connections) {
      if (other.seq === null) continue
      this.#send(other, [OP.castOut, String(room), connection.player ?? '', String(channel), payload])
    }
  }

  #request(connection: Connection, frame: unknown[], ref: Ref): void {
    const refusal = this.faults.refuse()
    if (refusal !== null) {
      this.#send(connection, [OP.err, ref, refusal.code, 'not now', refusal.detail])
      return
    }
    const answers = this.#answers.get(connection.session ?? '') ?? new Map<Ref, ServerFrame>()
    this.#answers.set(connection.session ?? '', answers)
    if (frame[0] === OP.join) {
      this.#join(connection, frame, ref)
      return
    }
    let answer = answers.get(ref)
    if (answer === undefined) {
      if (ref <= Math.max(0, ...answers.keys()) - KEPT_ANSWERS) {
        this.#send(connection, [OP.err, ref, 'conflict', 'the answer is no longer kept'])
        return
      }
      answer = this.#effect(connection, frame, ref)
      if (answer[0] === OP.ok) answers.set(ref, answer)
      if (answers.size > KEPT_ANSWERS) answers.delete(Math.min(...answers.keys()))
    }
    if (this.faults.hideAnswer()) answer = [OP.err, ref, 'unavailable', 'not known to be logged']
    this.#send(connection, answer)
  }

  #effect(connection: Connection, [op, , room, type, payload]: unknown[], ref: Ref): ServerFrame {
    const player = connection.player ?? ''
    if (op === OP.create || op === OP.match) return [OP.ok, ref, { room: `${room}-${this.#rooms++}` }]
    if (room !== ROOM) return [OP.err, ref, 'not_found', `there is no room ${room}`]
    const role = this.#roles.get(player)
    if (role === undefined) return [OP.err, ref, 'not_member', 'join first']
    if (op === OP.leave) {
      this.#roles.delete(player)
      connection.seq = null
      return [OP.ok, ref]
    }
    if (op === OP.call) {
      if (type === 'again') return [OP.ok, ref, { room: 'r2' }]
      return type === 'start' || type === 'kick' ? [OP.ok, ref] : [OP.err, ref, 'not_found', 'no such method']
    }
    if (role === 'spectator') return [OP.err, ref, 'forbidden', 'spectators do not move']
    if (type !== 'add' && type !== 'hush') return [OP.err, ref, 'invalid_payload', `the moves are add and hush`]
    const { n } = payload as { n: number }
    if (n < 0) return [OP.err, ref, 'illegal_move', 'only up']
    this.#commit(player, type, n)
    return [OP.ok, ref, this.#seq]
  }

  #commit(by: PlayerId, type: string, n: number): void {
    const from = this.#changed
    const seq = ++this.#seq
    this.log.push({ by, type, n, seq })
    const before = this.#document
    if (type === 'add') this.#change({ ...before, game: { total: (before.game?.total ?? 0) + n, last: { by, n } } })
    const events: GameEvent[] = [
      { type: 'added', n, part: 1 },
      { type: 'added', n, part: 2 },
    ]
    for (const event of events) this.#emits.push({ seq, event })
    for (const connection of this.#connections) {
      if (connection.seq === null) continue
      const lost = connection.player !== by && this.faults.lose()
      connection.behind ||= lost
      if (lost || (connection.behind && this.#document === before)) continue
      if (this.#document !== before) this.#patch(connection, from)
      for (const event of events) this.#send(connection, [OP.emit, ROOM, seq, event])
    }
    this.onCommit()
  }

  #change(document: TallyDocument): void {
    this.#document = document
    this.#changed = this.#seq
    this.#past.set(this.#seq, document)
    for (const seq of this.#past.keys()) if (this.#past.size > this.ring) this.#past.delete(seq)
  }

  /** The document at a seq, where it is still kept: between two changes it is the one of the change before. */
  #pastAt(seq: Seq): TallyDocument | undefined {
    return this.#past.get(Math.max(0, ...[...this.#past.keys()].filter((changed) => changed <= seq)))
  }

  /** The PATCH from the document at `from`, or, where that is no longer kept, the STATE. Whether it was a PATCH. */
  #patch(connection: Connection, from: Seq): boolean {
    const past = this.#pastAt(from)
    connection.seq = this.#changed
    if (past === undefined) {
      this.#send(connection, [OP.state, ROOM, this.#changed, this.#document])
      return false
    }
    const ops = diff(past, this.#document)
    if (JSON.stringify(apply(past, ops)) !== JSON.stringify(this.#document)) throw new Error('the test server is wrong')
    this.#send(connection, [OP.patch, ROOM, from, this.#changed, ops])
    return true
  }

  #join(connection: Connection, [, , room, extra]: unknown[], ref: Ref): void {
    const player = connection.player ?? ''
    if (room !== ROOM) {
      this.#send(connection, [OP.err, ref, 'not_found', `there is no room ${room}`])
      return
    }
    const { role, since } = (extra ?? {}) as { role?: Role; since?: Seq }
    const joined = this.#roles.get(player)
    if (joined === undefined || (role !== undefined && role !== joined)) {
      if (role === 'player' && this.#roles.size >= 3) {
        this.#send(connection, [OP.err, ref, 'room_full', 'no seat'])
        return
      }
      this.#roles.set(player, role ?? 'player')
    }
    this.#send(connection, [OP.ok, ref, { room, role: this.#roles.get(player), seq: this.#seq }])
    this.#catchUp(connection, since)
  }

  /** From now on the connection is in the room: what it missed comes first. */
  #catchUp(connection: Connection, since: Seq | undefined): void {
    connection.seq = this.#changed
    connection.behind = false
    if (since === undefined) {
      this.#send(connection, [OP.state, ROOM, this.#changed, this.#document])
      return
    }
    if (since < this.#changed && !this.#patch(connection, since)) return
    for (const { seq, event } of this.#emits) if (seq > since) this.#send(connection, [OP.emit, ROOM, seq, event])
  }

  #send(connection: Connection, frame: ServerFrame): void {
    connection.end.send(encode(frame))
    const doubled: number[] = [OP.ok, OP.patch, OP.state]
    if (doubled.includes(frame[0]) && this.faults.double()) connection.end.send(encode(frame))
  }
}
