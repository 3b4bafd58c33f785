import type { Clock } from '../../protocol/clock.ts'
import type { RoomId } from '../../protocol/frames.ts'

/** How long the rest of a list waits for whoever pages through it. */
const KEPT_MS = 10_000
/** Rests of lists: more than the lists that an engine pages through at once. */
const MOST_KEPT = 16

/** Gives out by the page what NATS gives only whole: a list is read once for whoever goes from one page to the next, and the rest kept for 10 s. */
export class JetStreamPages<T> {
  readonly #clock: Clock
  readonly #roomOf: (item: T) => RoomId
  readonly #rests = new Map<string, { items: T[]; forget: () => void }>()

  constructor(clock: Clock, roomOf: (item: T) => RoomId) {
    this.#clock = clock
    this.#roomOf = roomOf
  }

  /** At most `limit` items after `after`, in order of room, of what `read` gives; `of` names the list. Rejects as `read`. */
  async page(of: string, after: RoomId | '', limit: number, read: () => Promise<T[]>): Promise<T[]> {
    const items = this.#take(`${of} ${after}`) ?? this.#sorted(await read(), after)
    const page = items.slice(0, limit)
    const last = page.at(-1)
    if (page.length === limit && last !== undefined) this.#keep(`${of} ${this.#roomOf(last)}`, items.slice(limit))
    return page
  }

  close(): void {
    for (const { forget } of this.#rests.values()) forget()
  }

  #sorted(items: T[], after: RoomId | ''): T[] {
    const byRoom = (a: T, b: T) => (this.#roomOf(a) < this.#roomOf(b) ? -1 : 1)
    return items.filter((item) => this.#roomOf(item) > after).sort(byRoom)
  }

  #take(key: string): T[] | null {
    const rest = this.#rests.get(key)
    rest?.forget()
    return rest?.items ?? null
  }

  #keep(key: string, items: T[]): void {
    this.#rests.get(key)?.forget()
    const cancel = this.#clock.after(KEPT_MS, () => this.#rests.delete(key))
    const forget = () => {
      cancel()
      this.#rests.delete(key)
    }
    this.#rests.set(key, { items, forget })
    const [oldest] = this.#rests.values()
    if (this.#rests.size > MOST_KEPT) oldest?.forget()
  }
}
