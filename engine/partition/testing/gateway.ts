import type { Bus } from '../../../bus/bus.ts'
import type { AnswerItem, Attach, Envelope, Item, OutputPart, Request } from '../../../bus/messages.ts'
import {
  ASK_SUBJECT,
  commandSubject,
  GATEWAYS_SUBJECT,
  gatewaySubject,
  matchPartition,
  partitionOf,
} from '../../../bus/subjects.ts'
import { decode, encode, SERVER_LIMITS } from '../../../protocol/codec.ts'
import {
  type ClientFrame,
  type ErrFrame,
  OP,
  type PlayerId,
  type Ref,
  type Role,
  type RoomDocument,
  type RoomId,
  type Seq,
  type ServerFrame,
} from '../../../protocol/frames.ts'
import { parseServerFrame } from '../../../protocol/parse.ts'
import { apply } from '../../../protocol/patch.ts'
import type { VirtualClock } from '../../../test/virtual-clock.ts'

/** What one connection holds of one room, folded from all it was sent. */
export interface Standing {
  role: Role
  seq: Seq
  heard: Seq
  ref?: Ref
  document: RoomDocument | null
}

type Reply = { ok: unknown } | { err: ErrFrame[2]; message: string; detail: unknown }

/**
 * A gateway that does what its script says: it sends requests as they are written, keeps each frame that engines send, and
 * folds documents as strictly as the protocol allows. What breaks an order or a chain is named in `violations`.
 */
export class ScriptedGateway {
  readonly name: string
  readonly clients: ScriptedClient[] = []
  readonly violations: string[] = []
  readonly items: Item[] = []
  /** False: envelopes are lost. */
  hears = true
  /** False: it says nothing by itself. */
  beats = true
  readonly #bus: Bus
  readonly #clock: VirtualClock
  readonly #numbers = new Map<string, number>()
  #lastId = 0
  #lastConn = 0
  #cancelBeat = () => {}

  constructor(name: string, bus: Bus, clock: VirtualClock) {
    this.name = name
    this.#bus = bus
    this.#clock = clock
    bus.subscribe(gatewaySubject(name), (message) => {
      if (message.kind === 'envelope' && this.hears) this.#hear(message)
    })
    this.#beat()
  }

  connect(player: PlayerId, more: { name?: string; session?: string; http?: boolean } = {}): ScriptedClient {
    this.#lastConn += 1
    const session = more.session ?? `session-of-${player}-${this.#lastConn}`.replaceAll(/[^\w-]/g, '_').padEnd(16, '0')
    const client = new ScriptedClient(this, more.http ? null : this.#lastConn, player, more.name ?? player, session)
    this.clients.push(client)
    return client
  }

  /** Sends a request and returns its id. `id` sends an earlier one again; `game` is that of a MATCH. */
  publish(build: (id: number) => Request, id?: number, game?: string): number {
    if (id === undefined) this.#lastId += 1
    const request = build(id ?? this.#lastId)
    const partition = (room: RoomId): number => (game === undefined ? partitionOf(room) : matchPartition(game))
    this.#bus.publish(request.kind === 'ask' ? ASK_SUBJECT : commandSubject(partition(request.room)), request)
    return request.id
  }

  /** Lets everything run that needs no time. */
  settle(): Promise<void> {
    return this.#clock.advance(0)
  }

  async answers(id: number): Promise<AnswerItem[]> {
    const found = () => this.items.filter((item): item is AnswerItem => item.kind === 'answer' && item.id === id)
    await this.#clock.runUntil(() => found().some(({ done }) => done))
    return found()
  }

  async ask(about: Extract<Request, { kind: 'ask' }>['about']): Promise<unknown> {
    const id = this.publish((id) => ({ kind: 'ask', gateway: this.name, id, about }))
    const told = () => this.items.find((item) => item.kind === 'told' && item.id === id)
    await this.#clock.runUntil(() => told() !== undefined)
    const item = told()
    return item?.kind === 'told' ? item.value : null
  }

  /** Attaches every connection again where it stands, as after a hole in the stream or from a new engine. */
  async reattach(room: RoomId): Promise<void> {
    const members: Attach['members'] = this.clients.flatMap((client) => {
      const at = client.rooms.get(room)
      if (at === undefined || client.conn === null) return []
      const { conn, session, player, name } = client
      return [
        {
          conn,
          player: { id: player, name },
          session,
          role: at.role,
          since: at.seq,
          heard: at.heard,
          ref: at.ref ?? null,
        },
      ]
    })
    if (members.length === 0) return
    await this.answers(this.publish((id) => ({ kind: 'attach', gateway: this.name, id, room, members })))
  }

  /** Says nothing by itself any more. */
  close(): void {
    this.#cancelBeat()
  }

  #beat(): void {
    if (this.beats) this.#bus.publish(GATEWAYS_SUBJECT, { kind: 'gateway-beat', gateway: this.name })
    this.#cancelBeat = this.#clock.after(1_000, () => this.#beat())
  }

  #hear({ engine, number, items }: Envelope): void {
    const before = this.#numbers.get(engine) ?? 0
    if (items.length > 0 ? number !== before + 1 : number > before)
      this.violations.push(`envelope ${number} of ${engine} after ${before}`)
    this.#numbers.set(engine, number)
    for (const item of items) {
      this.items.push(item)
      if (item.kind === 'told') continue
      if (item.kind === 'answer') this.#client(item.conn)?.answered(item)
      if (item.kind === 'close') this.#client(item.conn)?.closed(item.room, item.reason)
      if (item.kind === 'output')
        for (const part of item.parts) for (const client of this.#audience(item.room, part)) client.shown(item, part)
    }
  }

  #client(conn: number | null): ScriptedClient | undefined {
    return conn === null ? undefined : this.clients.find((client) => client.conn === conn)
  }

  #audience(room: RoomId, { to }: OutputPart): ScriptedClient[] {
    return this.clients.filter((client) => {
      const at = client.rooms.get(room)
      if (at === undefined || client.conn === null) return false
      return to === 'spectators' ? at.role === 'spectator' : to.includes(client.conn)
    })
  }
}

/** One connection: a player with a session, and what it was sent. */
export class ScriptedClient {
  readonly conn: number | null
  readonly player: PlayerId
  readonly name: string
  readonly session: string
  readonly rooms = new Map<RoomId, Standing>()
  /** All frames, in order. */
  readonly inbox: ServerFrame[] = []
  readonly bytes: Uint8Array[] = []
  readonly closes: string[] = []
  ref: Ref = 0
  readonly gateway: ScriptedGateway

  constructor(gateway: ScriptedGateway, conn: number | null, player: PlayerId, name: string, session: string) {
    this.gateway = gateway
    this.conn = conn
    this.player = player
    this.name = name
    this.session = session
  }

  /** Sends one Command; returns its id. */
  send(room: RoomId, frames: ClientFrame[], id?: number): number {
    const { conn, session } = this
    const player = { id: this.player, name: this.name }
    const bytes = frames.map((frame) => encode(frame))
    const gateway = this.gateway.name
    return this.gateway.publish(
      (id) => ({ kind: 'command', gateway, id, room, conn, player, session, frames: bytes }),
      id,
      frames.find((frame) => frame[0] === OP.match)?.[2],
    )
  }

  /** Sends one frame, and gives its answer. */
  async ask(room: RoomId, frame: ClientFrame): Promise<Reply> {
    const items = await this.gateway.answers(this.send(room, [frame]))
    for (const bytes of items.flatMap(({ frames }) => frames)) {
      const reply = open(bytes)
      if (reply[0] === OP.ok) return { ok: reply[2] ?? null }
      if (reply[0] === OP.err) return { err: reply[2], message: reply[3], detail: reply[4] }
    }
    throw new Error('an answer without OK or ERR')
  }

  next(): Ref {
    this.ref += 1
    return this.ref
  }

  create(room: RoomId, game: string, options?: unknown, extra: { public?: boolean } = {}): Promise<Reply> {
    return this.ask(room, [OP.create, this.next(), game, options, extra])
  }

  join(room: RoomId, extra: { role?: Role; since?: Seq } = {}): Promise<Reply> {
    return this.ask(room, [OP.join, this.next(), room, extra])
  }

  leave(room: RoomId): Promise<Reply> {
    return this.ask(room, [OP.leave, this.next(), room])
  }

  move(room: RoomId, type: string, payload?: unknown): Promise<Reply> {
    return this.ask(room, [OP.move, this.next(), room, type, payload])
  }

  call(room: RoomId, method: string, params?: unknown): Promise<Reply> {
    return this.ask(room, [OP.call, this.next(), room, method, params])
  }

  match(game: string, options?: unknown): Promise<Reply> {
    return this.ask('', [OP.match, this.next(), game, options])
  }

  /** Sends a Read and returns its id; with `as`, this connection is attached by it. `id` sends an earlier one again. */
  publishRead(room: RoomId, since: Seq, presenceMs: number, as: 'held' | 'stream' | null, id?: number): number {
    const { conn, session } = this
    const attach = conn === null || as === null ? null : { conn, as }
    const player = { id: this.player, name: this.name }
    const gateway = this.gateway.name
    return this.gateway.publish(
      (id) => ({ kind: 'read', gateway, id, room, player, session, since, attach, presenceMs }),
      id,
    )
  }

  /** Reads a room once, over HTTP; gives the frames of the answer. */
  async read(room: RoomId, since: Seq, presenceMs = 10_000): Promise<Uint8Array[]> {
    const [answer] = await this.gateway.answers(this.publishRead(room, since, presenceMs, null))
    return answer?.frames ?? []
  }

  /** Opens a stream of a room on this connection; gives its place, or the code of the ERR. */
  async stream(room: RoomId, since: Seq = 0): Promise<AnswerItem['attached'] | string> {
    const [answer] = await this.gateway.answers(this.publishRead(room, since, 10_000, 'stream'))
    const [first] = answer?.frames ?? []
    const frame = first && open(first)
    return frame?.[0] === OP.err ? frame[2] : answer?.attached
  }

  /** The connection ends: its gateway tells the engine of each room. */
  async drop(): Promise<void> {
    const { conn } = this
    if (conn === null) return
    for (const room of this.rooms.keys()) {
      const gateway = this.gateway.name
      await this.gateway.answers(this.gateway.publish((id) => ({ kind: 'detach', gateway, id, room, conns: [conn] })))
    }
    this.rooms.clear()
  }

  /** The document of a room as it stands. */
  document(room: RoomId): RoomDocument {
    const document = this.rooms.get(room)?.document
    if (!document) throw new Error(`${this.player} holds no document of ${room}`)
    return document
  }

  frames<Op extends ServerFrame[0]>(op: Op): Extract<ServerFrame, readonly [Op, ...unknown[]]>[] {
    return this.inbox.filter((frame): frame is Extract<ServerFrame, readonly [Op, ...unknown[]]> => frame[0] === op)
  }

  answered({ room, frames, attached }: AnswerItem): void {
    const before = this.rooms.get(room)
    if (attached) this.rooms.set(room, { document: null, seq: 0, heard: 0, ...before, role: attached.role })
    for (const frame of frames) this.#take(room, frame)
    if (attached === null) this.rooms.delete(room)
    const at = this.rooms.get(room)
    if (!attached || at === undefined) return
    // Nothing but the seq may go on without a document: it has not changed.
    at.seq = attached.seq
    at.heard = attached.heard
    if (attached.ref !== undefined) at.ref = attached.ref
  }

  shown({ room, head }: { room: RoomId; head: Seq }, { document, emits, ephemeral }: OutputPart): void {
    const at = this.rooms.get(room)
    if (at === undefined) return
    // A gateway drops a STATE that is no newer than what it sent; a PATCH must fit.
    if (document !== null && (document.from !== null || document.seq > at.seq)) {
      if (document.from !== null && document.from !== at.seq)
        this.#broken(`a PATCH from ${document.from} where ${at.seq} was shown`)
      else this.#take(room, document.frame)
    }
    if (head > at.heard) for (const frame of emits) this.#take(room, frame)
    else if (emits.length > 0) this.#broken(`EMITs up to ${head} where ${at.heard} were heard`)
    at.heard = Math.max(at.heard, head)
    for (const frame of ephemeral) this.#take(room, frame)
  }

  closed(room: RoomId, reason: string): void {
    this.rooms.delete(room)
    this.closes.push(reason)
  }

  #take(room: RoomId, bytes: Uint8Array): void {
    const frame = open(bytes)
    this.bytes.push(bytes)
    this.inbox.push(frame)
    const at = this.rooms.get(room)
    if (at === undefined) return
    if (frame[0] === OP.state) {
      at.document = frame[3]
      at.seq = frame[2]
    }
    if (frame[0] === OP.patch) {
      if (frame[2] !== at.seq) this.#broken(`a PATCH frame from ${frame[2]} where ${at.seq} was shown`)
      at.document = documentOf(apply(at.document, frame[4]))
      at.seq = frame[3]
    }
  }

  #broken(what: string): void {
    this.gateway.violations.push(`${this.player} (${this.conn}) got ${what}`)
  }
}

/** Only STATEs and PATCHes of this engine are folded: what they make is a document, or the comparison with the engine's fails. */
const documentOf = (folded: unknown): RoomDocument => folded as RoomDocument

const open = (bytes: Uint8Array): ServerFrame => {
  const frame = parseServerFrame(decode(bytes, SERVER_LIMITS))
  if (frame === null) throw new Error('a frame that no client knows')
  return frame
}
