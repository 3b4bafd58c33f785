import type { Lasts, Stored } from './jetstream-direct.ts'
import type { JetStreamLink } from './jetstream-link.ts'
import type { Place } from './jetstream-places.ts'
import { StorageError } from './log.ts'

/** How many answers may bring nothing new, from replicas that know less than the leader, before the reader gives up: with the pauses between, some seconds. */
const MOST_STALLS = 100
/** Subjects in one question of some 50 KB: fewer than the 1,024 that NATS answers at most. */
const NAMES_AT_ONCE = 1_000
/** In place of an answer that broke off: whoever reads on after it reads everything. */
const NONE: Lasts = { found: [], upTo: 0 }

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
  link: Pick<JetStreamLink, 'page' | 'last' | 'lastOfEach' | 'subjects' | 'pause'>,
  place: Place,
): Promise<Stored[]> => {
  const [{ found, upTo }, last] = await Promise.all([lookUp(link, place), link.last(place)])
  if (last === null || last.sequence <= upTo) return found
  // The replica lags behind.
  return [...found, ...(await readAfter(link, place, upTo, Number.POSITIVE_INFINITY))]
}

/** The last message under each subject, as replicas that had reached `upTo` knew them; where they are too many for one answer, by the names of the subjects. Rejects with StorageError. */
const lookUp = async (link: Pick<JetStreamLink, 'lastOfEach' | 'subjects'>, place: Place): Promise<Lasts> => {
  const { stream, subject } = place
  const whole = await link.lastOfEach(stream, [subject])
  if (whole !== null) return whole
  const parts: Promise<Lasts | null>[] = []
  const names = await link.subjects(place)
  for (let i = 0; i < names.length; i += NAMES_AT_ONCE)
    parts.push(link.lastOfEach(stream, names.slice(i, i + NAMES_AT_ONCE)))
  const lasts = (await Promise.all(parts)).map((part) => part ?? NONE)
  return { found: lasts.flatMap(({ found }) => found), upTo: Math.min(...lasts.map(({ upTo }) => upTo)) }
}
