import {
  type Entry,
  FateUnknown,
  Fenced,
  type IndexRow,
  NotStored,
  type Position,
  type Storage,
  StorageError,
} from '../../log/log.ts'

/** A storage whose appends can be held back, refused, or left without an answer; all else is the real one's. */
export interface FaultyStorage extends Storage {
  /** Appends wait until `release`. */
  hold(): void
  release(): void
  /** Appends that wait now. */
  readonly waiting: number
  /** The next appends go wrong in this way, one each: `lost` and `stored` end in FateUnknown, with the record missing or there. */
  fail(...how: ('refused' | 'lost' | 'stored' | 'fenced')[]): void
  /** The next calls of `last` throw. */
  failLast(times: number): void
  /** Every other write but appends is refused while true, and rooms cannot be listed. */
  full: boolean
  /** Every record that was stored, and every snapshot. */
  readonly written: Uint8Array[]
  /** Changes what is read of a room: for damage. */
  damage(room: string, entries: (entries: Entry[]) => Entry[]): void
}

export const faultyStorage = (storage: Storage): FaultyStorage => {
  const plans: ('refused' | 'lost' | 'stored' | 'fenced')[] = []
  const written: Uint8Array[] = []
  const damaged = new Map<string, (entries: Entry[]) => Entry[]>()
  let held: (() => void)[] | null = null
  let lastFails = 0

  const append = async (room: string, after: Position, record: Uint8Array, index?: IndexRow): Promise<Position> => {
    if (held !== null) await new Promise<void>((resolve) => held?.push(resolve))
    const plan = plans.shift()
    if (plan === 'refused') throw new NotStored('the disk is full')
    if (plan === 'lost') throw new FateUnknown('no answer in time')
    if (plan === 'fenced') throw new Fenced(room)
    const position = await storage.append(room, after, record, index)
    written.push(record)
    if (plan === 'stored') throw new FateUnknown('no answer in time')
    return position
  }

  const faulty: FaultyStorage = {
    ...storage,
    full: false,
    written,
    append,
    async last(room) {
      if (lastFails > 0) {
        lastFails -= 1
        throw new Error('the store does not answer')
      }
      const damage = damaged.get(room)
      if (damage === undefined) return storage.last(room)
      return damage(await storage.read(room, 0, 1_000_000)).at(-1) ?? null
    },
    async read(room, after, limit) {
      const damage = damaged.get(room)
      if (damage === undefined) return storage.read(room, after, limit)
      const entries = damage(await storage.read(room, 0, 1_000_000))
      return entries.filter(({ position }) => position > after).slice(0, limit)
    },
    async putSnapshot(room, snapshot) {
      if (faulty.full) throw new NotStored('the disk is full')
      written.push(snapshot)
      return storage.putSnapshot(room, snapshot)
    },
    async listIndex(...about) {
      if (faulty.full) throw new StorageError('the store does not answer')
      return storage.listIndex(...about)
    },
    async putIndex(rows) {
      if (faulty.full) throw new NotStored('the disk is full')
      return storage.putIndex(rows)
    },
    hold() {
      held ??= []
    },
    release() {
      const waiting = held ?? []
      held = null
      for (const go of waiting) go()
    },
    get waiting() {
      return held?.length ?? 0
    },
    fail(...how) {
      plans.push(...how)
    },
    failLast(times) {
      lastFails = times
    },
    damage(room, entries) {
      damaged.set(room, entries)
    },
  }
  return faulty
}
