import type { Chance } from '../../protocol/clock.ts'
import { reasonOf } from './jetstream-errors.ts'
import { type JetStreamLink, WrongSequence } from './jetstream-link.ts'
import type { Place } from './jetstream-places.ts'
import { type JetStreamOptions, openInstallation } from './jetstream-streams.ts'
import { StorageError } from './log.ts'

const KEY_BYTES = 32

/** The key at this place, made where there is none: of several who make it at once one wins. Rejects with NotStored, FateUnknown or StorageError. */
export const keyAt = async (link: JetStreamLink, place: Place, chance: Chance): Promise<Uint8Array> => {
  for (;;) {
    const kept = await link.last(place)
    if (kept !== null) return checked(kept.body, place)
    const fresh = chance.bytes(KEY_BYTES)
    try {
      await link.write(place, fresh, 0)
      return new Uint8Array(fresh)
    } catch (error) {
      if (!(error instanceof WrongSequence)) throw error
    }
  }
}

/** The key at this place, or null. Rejects with StorageError. */
export const keyIfAny = async (link: JetStreamLink, place: Place): Promise<Uint8Array | null> => {
  const kept = await link.last(place)
  return kept && checked(kept.body, place)
}

const checked = (key: Uint8Array, { subject }: Place): Uint8Array => {
  if (key.byteLength !== KEY_BYTES) throw new StorageError(`the key ${subject} is damaged: put it back from a backup`)
  return key
}

/** The secrets of an installation, made at its first start: `guests` signs guests' tokens, room ids are derived with `cluster`. Rejects with StorageError. */
export const openInstallationKeys = async (
  options: JetStreamOptions,
): Promise<Record<'guests' | 'cluster', Uint8Array>> => {
  const { link, places } = await openInstallation(options)
  try {
    const [guests, cluster] = await Promise.all([
      keyAt(link, places.one('guests'), options.chance),
      keyAt(link, places.one('cluster'), options.chance),
    ])
    return { guests, cluster }
  } catch (error) {
    throw error instanceof StorageError
      ? error
      : new StorageError(`the keys of the installation: ${reasonOf(error)}`, { cause: error })
  }
}
