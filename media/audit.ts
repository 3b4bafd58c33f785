import type { MediaAudit, MediaConsumer, MediaNodeId } from '../bus/media-messages.ts'
import type { Clock } from '../protocol/clock.ts'
import type { Stage } from './stage.ts'

/** How long the other nodes of a room may take to answer. */
const ANSWER_WITHIN_MS = 1_000

/** What every consumer of a room at this node carries, also those that the policy holds back: for operators, who may know. Those that end meanwhile are left out. */
export const auditOf = async (node: MediaNodeId, { consumers, peers, tracks }: Stage): Promise<MediaConsumer[]> => {
  const rows = [...consumers.values()].map(async ({ peer, track, granted, wanted, consumer }) => {
    const viewer = peers.get(peer)?.viewer
    const { player, source } = tracks.get(track) ?? {}
    const stats = await consumer.getStats().catch(() => null)
    if (viewer === undefined || player === undefined || source === undefined || stats === null) return []
    const bytes = stats.reduce((total, { type, byteCount }) => (type === 'outbound-rtp' ? total + byteCount : total), 0)
    return [{ node, viewer: viewer.player, role: viewer.role, player, source, granted, wanted, bytes }]
  })
  return (await Promise.all(rows)).flat()
}

interface Asked {
  readonly answers: Map<MediaNodeId, MediaAudit>
  readonly done: () => void
}

/** Questions to all nodes about a room, each waited for until every node of the room has answered, or for a second. */
export class Audits {
  readonly #clock: Clock
  readonly #ask: (id: number, room: string) => void
  readonly #asked = new Map<number, Asked>()
  #lastId = 0

  /** `ask` asks all nodes, this one too. */
  constructor(clock: Clock, ask: (id: number, room: string) => void) {
    this.#clock = clock
    this.#ask = ask
  }

  /** What the consumers of a room carry at all of its nodes that answer; null where none does. */
  async of(room: string): Promise<MediaConsumer[] | null> {
    this.#lastId++
    const id = this.#lastId
    const answers = new Map<MediaNodeId, MediaAudit>()
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ANSWER_WITHIN_MS, () => done())
      const done = () => {
        cancel()
        this.#asked.delete(id)
        resolve()
      }
      this.#asked.set(id, { answers, done })
      this.#ask(id, room)
    })
    return answers.size === 0 ? null : [...answers.values()].flatMap(({ consumers }) => consumers)
  }

  hear(answer: MediaAudit): void {
    const asked = this.#asked.get(answer.id)
    if (asked === undefined) return
    asked.answers.set(answer.node, answer)
    if (answer.nodes.every((node) => asked.answers.has(node))) asked.done()
  }
}
