import type { OwnReach } from '../../../client/board.ts'
import type { Source } from '../../../client/client.ts'
import type { OwnTrack } from '../../../client/media/types.ts'
import type { Words } from '../words/words.ts'

/** Who gets a track of one's own: it is off, nobody now, only these (an audience in words), or everyone. */
type Reach = { readonly to: 'off' | 'nobody' | 'everyone' } | { readonly to: 'only'; readonly audience: string }

export interface Seen {
  readonly sight: Reach
  readonly voice: Reach
}

/** By whom this player is seen and heard now: by what is published, what the server says of it, and what the game says. Pure. */
export const seenBy = (mine: ReadonlyMap<Source, OwnTrack>, reach: OwnReach | null): Seen => {
  const of = (source: Source, audience: string | null | undefined): Reach => {
    const own = mine.get(source)
    if (own === undefined || own.muted) return { to: 'off' }
    if (own.unseen || audience === null) return { to: 'nobody' }
    return audience === undefined ? { to: 'everyone' } : { to: 'only', audience }
  }
  return { sight: of('camera', reach?.sight), voice: of('microphone', reach?.voice) }
}

type Say = Words['media']['seen']

const sight = (words: Say, reach: Reach): string =>
  reach.to === 'only' ? words.onlySee(reach.audience) : words.see[reach.to]
const voice = (words: Say, reach: Reach): string =>
  reach.to === 'only' ? words.onlyHear(reach.audience) : words.hear[reach.to]

/** By whom one is seen and heard, in plain words. Pure. */
export const saySeen = (words: Say, seen: Seen): string => {
  if (seen.sight.to === 'only' && seen.voice.to === 'only' && seen.sight.audience === seen.voice.audience)
    return words.onlyBoth(seen.sight.audience)
  if (seen.sight.to !== 'only' && seen.sight.to === seen.voice.to) return words.both[seen.sight.to]
  return `${sight(words, seen.sight)} ${voice(words, seen.voice)}`
}

/** The same in a few words, for one's own seat; '' where there is nothing to say beside the mask. Pure. */
export const saySeenShort = ({ short }: Say, { sight, voice }: Seen): string => {
  if (sight.to === 'only') return short.onlySee(sight.audience)
  if (sight.to !== 'off') return short.see[sight.to]
  if (voice.to === 'only') return short.onlyHear(voice.audience)
  return voice.to === 'off' ? '' : short.hear[voice.to]
}
