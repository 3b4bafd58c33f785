import type { Bus } from '../../bus/bus.ts'
import {
  type AnswerItem,
  type Attach,
  type Command,
  type ConnId,
  type Detach,
  type Item,
  isRequest,
  type OutputPart,
  type Read,
  type Request,
} from '../../bus/messages.ts'
import { ASK_SUBJECT, commandSubject, ENGINES_SUBJECT, gatewaySubject, PARTITIONS } from '../../bus/subjects.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { OP, type Role } from '../../protocol/frames.ts'

type RoomRequest = Command | Attach | Detach | Read
type Unnumbered<T> = T extends Item ? Omit<T, 'epoch'> & { epoch?: number } : never

/** An engine that says what a test tells it to, and records what it was asked. */
export class ScriptedEngine {
  readonly id: string
  readonly requests: Request[] = []
  epoch = 1
  /** Where those come to stand that `obey` attaches from nothing. */
  seq = 1
  number = 0
  /** Answers requests as they come; a test replaces it to be slow, deaf or wrong. */
  onRequest: (request: Request) => void = (request) => this.obey(request)
  readonly #bus: Bus
  readonly #gateway: string
  readonly #ends: (() => void)[]

  constructor(bus: Bus, gateway: string, id = 'engine-1') {
    this.id = id
    this.#bus = bus
    this.#gateway = gateway
    const subjects = [ASK_SUBJECT, ...Array.from({ length: PARTITIONS }, (_, partition) => commandSubject(partition))]
    this.#ends = subjects.map((subject) =>
      bus.subscribe(subject, (message) => {
        if (!isRequest(message)) return
        this.requests.push(message)
        this.onRequest(message)
      }),
    )
  }

  stop() {
    for (const end of this.#ends) end()
  }

  get commands(): Command[] {
    return this.requests.filter((request) => request.kind === 'command')
  }
  get attaches(): Attach[] {
    return this.requests.filter((request) => request.kind === 'attach')
  }
  get detaches(): Detach[] {
    return this.requests.filter((request) => request.kind === 'detach')
  }

  get reads(): Read[] {
    return this.requests.filter((request) => request.kind === 'read')
  }

  /** Sends one envelope with these items under the next number. */
  say(...items: Unnumbered<Item>[]) {
    this.number += 1
    this.repeat(this.number, items)
  }
  /** Sends one envelope under this number. */
  repeat(number: number, items: Unnumbered<Item>[]) {
    const full = items.map((item): Item => ({ epoch: this.epoch, ...item }) as Item)
    this.#bus.publish(gatewaySubject(this.#gateway), { kind: 'envelope', engine: this.id, number, items: full })
  }
  /** Counts an envelope that is never sent. */
  lose() {
    this.number += 1
  }
  heartbeat() {
    this.repeat(this.number, [])
  }
  /** Says that it is there, and owns these partitions: each with its epoch behind it. */
  beat(...owns: number[]) {
    this.#bus.publish(ENGINES_SUBJECT, { kind: 'engine-beat', engine: this.id, owns })
  }

  answer(
    request: RoomRequest,
    frames: unknown[][],
    attached?: AnswerItem['attached'],
    conn?: number,
  ): Unnumbered<AnswerItem> {
    const to = conn ?? connOf(request)
    const item = {
      kind: 'answer' as const,
      room: request.room,
      id: request.id,
      conn: to,
      frames: frames.map((frame) => encode(frame)),
      done: true,
    }
    return attached === undefined ? item : { ...item, attached }
  }

  /** OK to everything: JOIN attaches at seq 1 with a STATE, LEAVE leaves, a MOVE's value is its type; a Read below `seq` gets a STATE. */
  obey(request: Request) {
    if (request.kind === 'ask') return
    if (request.kind === 'detach') return this.say(this.answer(request, []))
    if (request.kind === 'attach') {
      const { room, members } = request
      return this.say(
        ...members.map(({ conn, role, since, heard }, i) => ({
          ...this.answer(request, [], { role, seq: since === 0 ? this.seq : since, heard }, conn),
          room,
          done: i === members.length - 1,
        })),
      )
    }
    if (request.kind === 'read') {
      const { room, since, attach } = request
      const news = since < this.seq ? [[OP.state, room, this.seq, { game: this.seq }]] : []
      const isHeld = attach !== null && (attach.as === 'stream' || news.length === 0)
      return this.say(this.answer(request, news, isHeld ? { role: 'player', seq: this.seq, heard: this.seq } : null))
    }
    let attached: AnswerItem['attached']
    const frames = request.frames.flatMap((bytes): unknown[][] => {
      const frame = decode(bytes)
      if (!Array.isArray(frame)) return []
      const [op, ref, room, extra] = frame
      if (op === OP.cast || op === OP.input) return []
      if (op === OP.leave) attached = null
      if (op !== OP.join) return [[OP.ok, ref, op === OP.move ? extra : null]]
      const role: Role = extra?.role ?? 'player'
      attached = { role, seq: 1, heard: 1, ref }
      return [
        [OP.ok, ref, { room, role, seq: 1 }],
        [OP.state, room, 1, { room: {}, game: null }],
      ]
    })
    this.say(this.answer(request, frames, attached))
  }

  /** One commit's output with one part. */
  output(
    room: string,
    head: number,
    to: OutputPart['to'],
    part: { document?: [from: number | null, seq: number]; emits?: unknown[][]; ephemeral?: unknown[][] },
  ): Unnumbered<Item> {
    const { document, emits = [], ephemeral = [] } = part
    const frame = (from: number | null, seq: number) =>
      encode(from === null ? [OP.state, room, seq, { game: seq }] : [OP.patch, room, from, seq, [[['game'], seq]]])
    return {
      kind: 'output',
      room,
      head,
      parts: [
        {
          to,
          document: document ? { from: document[0], seq: document[1], frame: frame(...document) } : null,
          emits: emits.map((emit) => encode(emit)),
          ephemeral: ephemeral.map((note) => encode(note)),
        },
      ],
    }
  }
}

const connOf = (request: RoomRequest): ConnId | null => {
  if (request.kind === 'command') return request.conn
  return request.kind === 'read' ? (request.attach?.conn ?? null) : null
}
