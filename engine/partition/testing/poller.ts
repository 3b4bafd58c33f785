import { decode, SERVER_LIMITS } from '../../../protocol/codec.ts'
import {
  OP,
  type PlayerId,
  type RoomDocument,
  type RoomId,
  type Seq,
  type ServerFrame,
} from '../../../protocol/frames.ts'
import { parseServerFrame } from '../../../protocol/parse.ts'
import { apply } from '../../../protocol/patch.ts'
import type { ScriptedClient, ScriptedGateway } from './gateway.ts'

type Emit = Extract<ServerFrame, readonly [37, ...unknown[]]>

/**
 * A player who reads one room over HTTP, and folds what it is told as strictly as the protocol allows: what a 200 may not hold
 * throws.
 */
export class Poller {
  readonly player: PlayerId
  readonly session: string
  /** For what it sends up. */
  readonly client: ScriptedClient
  since: Seq = 0
  document: RoomDocument | null = null
  readonly emits: Emit[] = []
  /** All frames, and their bytes. */
  readonly inbox: ServerFrame[] = []
  readonly bytes: Uint8Array[] = []
  readonly #gateway: ScriptedGateway
  readonly #room: RoomId

  constructor(
    gateway: ScriptedGateway,
    room: RoomId,
    player: PlayerId,
    session = `session-of-${player}`.padEnd(16, '0'),
  ) {
    this.#gateway = gateway
    this.#room = room
    this.player = player
    this.session = session
    this.client = gateway.connect(player, { session, http: true })
  }

  /** Reads once, and returns what came, or the code of the ERR. */
  async poll(presenceMs = 10_000): Promise<ServerFrame[] | string> {
    return this.#take(await this.client.read(this.#room, this.since, presenceMs))
  }

  /** Reads, and waits on a connection where there is nothing yet, which is returned. */
  async hold(gateway = this.#gateway): Promise<ScriptedClient | ServerFrame[] | string> {
    const connection = gateway.connect(this.player, { session: this.session })
    const { since, document } = this
    connection.rooms.set(this.#room, { role: 'player', seq: since, heard: since, document })
    const id = connection.publishRead(this.#room, since, 35_000, 'held')
    const [answer] = await gateway.answers(id)
    if (answer?.attached) return connection
    return this.#take(answer?.frames ?? [])
  }

  topic(topic: string): unknown[] {
    return this.inbox.flatMap((frame) => (frame[0] === OP.note && frame[2] === topic ? [frame[3]] : []))
  }

  casts(): unknown[] {
    return this.inbox.flatMap((frame) => (frame[0] === OP.castOut ? [frame[4]] : []))
  }

  #take(answer: readonly Uint8Array[]): ServerFrame[] | string {
    const frames = answer.map(open)
    const [first, ...rest] = frames
    if (first === undefined) return []
    if (first[0] === OP.err) return first[2]
    this.bytes.push(...answer)
    this.inbox.push(...frames)
    if (first[0] === OP.state) [this.since, this.document] = [first[2], first[3]]
    else if (first[0] === OP.patch && first[2] === this.since && first[3] >= this.since) {
      this.document = apply(this.document, first[4]) as RoomDocument
      this.since = first[3]
    } else throw new Error(`an answer to since ${this.since} begins with ${JSON.stringify(first)}`)
    for (const frame of rest) {
      if (frame[0] === OP.state || frame[0] === OP.patch) throw new Error('an answer with two documents')
      if (frame[0] !== OP.emit) continue
      if (frame[2] > this.since) throw new Error(`an EMIT of ${frame[2]} with a document of ${this.since}`)
      this.emits.push(frame)
    }
    return frames
  }
}

const open = (bytes: Uint8Array): ServerFrame => {
  const frame = parseServerFrame(decode(bytes, SERVER_LIMITS))
  if (frame === null) throw new Error('a frame that no client knows')
  return frame
}
