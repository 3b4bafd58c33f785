import { useCallback } from 'react'
import type { PlayerId } from '../../../client/client.ts'
import type { PlayerStream, RoomMedia } from '../../../client/media/types.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { Picture } from './picture.tsx'
import { Sign } from './sign.tsx'

interface TileProps {
  readonly media: RoomMedia
  readonly player: PlayerId
  readonly name: string
  readonly stream: PlayerStream
}

/** A player's camera over the mask, with how well it arrives, whether one is heard, and a glow while one speaks. */
export const Tile = ({ media, player, name, stream }: TileProps) => {
  const { media: words } = useWords()
  const show = useCallback((width: number) => media.show(player, 'camera', width), [media, player])
  const level = useStore(media.speaking).get(player) ?? 0
  const isSeen = stream.camera && !stream.muted.has('camera')
  const isHeard = stream.microphone && !stream.muted.has('microphone')
  return (
    <>
      {isSeen && <Picture stream={stream.stream} player={player} label={words.picture(name)} show={show} />}
      {level > 0 && <span className="glow" style={{ opacity: 0.45 + Math.min(1, level) * 0.55 }} />}
      <span className="marks">
        {!isHeard && (
          <span className="mark">
            <Sign of="microphone" isOff />
            <span className="heard-only">{words.notHeard}</span>
          </span>
        )}
        {stream.quality !== null && (
          <span className="mark quality" data-quality={stream.quality} title={words.quality[stream.quality]}>
            <i />
            <i />
            <i />
            <span className="heard-only">{words.quality[stream.quality]}</span>
          </span>
        )}
      </span>
    </>
  )
}
