import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { IndexRow, Storage } from '../log/log.ts'
import type { Slots } from '../log/slots.ts'
import type { Report } from '../room/writer.ts'

const PAGE = 500
/** Where engines share a store a list of rows comes whole, and so would every further page of it. */
const SHARED_PAGE = 100_000
const RETRY_MS = 1_000

interface RowsPorts {
  readonly storage: Pick<Storage, 'listIndex' | 'exclusive'>
  readonly clock: Clock
  readonly report: Report
}

/**
 * Yields the rows of rooms that live or sleep in these partitions, in order of room; never throws. Each page is read in a slot. A store that does not answer is
 * asked again every second until it does, or `isOver`: it is waited for outside the slot, so that rows that cannot be read hold up no others.
 */
export async function* unfinishedRows(
  partitions: ReadonlySet<number>,
  slots: Slots,
  ports: RowsPorts,
  isOver: () => boolean,
): AsyncGenerator<IndexRow> {
  const limit = ports.storage.exclusive ? PAGE : SHARED_PAGE
  let after = ''
  while (!isOver()) {
    const rows = await slots.run(() => pageOf(partitions, after, limit, ports))
    if (rows === null) await new Promise<void>((resolve) => ports.clock.after(RETRY_MS, resolve))
    yield* rows ?? []
    if (rows !== null && rows.length < limit) return
    after = rows?.at(-1)?.room ?? after
  }
}

/** Null where the store did not answer, which was reported. */
const pageOf = async (
  partitions: ReadonlySet<number>,
  after: RoomId | '',
  limit: number,
  { storage, report }: RowsPorts,
): Promise<IndexRow[] | null> => {
  try {
    return await storage.listIndex({ status: 'unfinished', partitions }, after, limit)
  } catch (error) {
    const why = messageOf(error)
    report('error', `rooms are not taken over yet, their index could not be read: ${why}`, {})
    return null
  }
}
