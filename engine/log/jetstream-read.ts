import type { Stored } from './jetstream-direct.ts'
import type { JetStreamLink } from './jetstream-link.ts'
import type { Place } from './jetstream-places.ts'
import { StorageError } from './log.ts'

/** How often a replica may know less than the leader before the reader gives up: with the pauses between, some seconds. */
const MOST_STALLS = 100

/**
 * Resolves with at most `limit` messages under a subject or pattern after a sequence, oldest first. Any replica answers, and one that lags
 * behind looks like the end of the log: only the leader says where that is. Rejects with StorageError.
 */
export const readAfter = async (
  link: Pick<JetStreamLink, 'page' | 'last' | 'pause'>,
  place: Place,
  after: number,
  limit: number,
): Promise<Stored[]> => {
  const messages: Stored[] = []
  let reached = after
  for (let stalls = 0; stalls < MOST_STALLS; ) {
    const { found, ended } = await link.page(place, reached, limit - messages.length)
    messages.push(...found)
    reached = found.at(-1)?.sequence ?? reached
    if (messages.length >= limit) return messages
    if (!ended) continue
    const last = await link.last(place)
    if (last === null || last.sequence <= reached) return messages
    if (found.length > 0) continue
    stalls += 1
    await link.pause()
  }
  throw new StorageError(`${place.stream}: its replicas lag behind its leader`)
}

/**
 * Resolves with the last message under each subject that a pattern covers, as the leader knew them when it was called or newer: one that was
 * replaced meanwhile may come before what replaced it. Rejects with StorageError.
 */
export const readLast = async (
  link: Pick<JetStreamLink, 'page' | 'last' | 'lastOfEach' | 'pause'>,
  place: Place,
): Promise<Stored[]> => {
  const [each, last] = await Promise.all([link.lastOfEach(place), link.last(place)])
  const found = each ?? []
  const reached = Math.max(0, ...found.map(({ sequence }) => sequence))
  if (last === null || last.sequence <= reached) return found
  // They are too many for one answer, or the replica lags behind.
  return [...found, ...(await readAfter(link, place, reached, Number.POSITIVE_INFINITY))]
}
