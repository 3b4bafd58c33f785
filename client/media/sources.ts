import { MadangError } from '../error.ts'
import type { RoomMedia, Source } from './types.ts'

const KINDS = { camera: 'video', microphone: 'audio', screen: 'video', 'screen-audio': 'audio' } as const

const isSource = (source: string): source is Source => Object.hasOwn(KINDS, source)

/** The tracks to publish by source. Throws MadangError `invalid_payload` where one is none, or cannot be sent. */
export const sourcesOf = (tracks: Parameters<RoomMedia['publish']>[0]): (readonly [Source, MediaStreamTrack])[] =>
  Object.entries(tracks).flatMap(([source, track]) => {
    if (!isSource(source))
      throw new MadangError('invalid_payload', `publish: ${source} is none of ${Object.keys(KINDS).join(', ')}`)
    if (track === undefined) return []
    if (track.kind !== KINDS[source])
      throw new MadangError('invalid_payload', `publish: a ${source} is a track of ${KINDS[source]}`)
    if (track.readyState === 'ended')
      throw new MadangError(
        'invalid_payload',
        `publish: the track of the ${source} has ended: ask the device for a new one`,
      )
    return [[source, track] as const]
  })
