import type { RoomMedia } from '../../../client/media/types.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { ownDevices } from './devices.ts'
import { useOwnStream } from './own-stream.ts'
import { Picture } from './picture.tsx'
import { Sign } from './sign.tsx'

/** One's own camera as in a mirror, dimmed while the rules let nobody see it. */
export const OwnTile = ({ media }: { media: RoomMedia }) => {
  const { media: words } = useWords()
  const camera = useStore(ownDevices.camera)
  const microphone = useStore(ownDevices.microphone)
  const mine = useStore(media.mine)
  const stream = useOwnStream(camera.status === 'on' ? camera.track : null)
  const isUnseen = mine.get('camera')?.unseen ?? false
  const isHeard = microphone.status === 'on' && !microphone.muted
  return (
    <>
      {stream !== null && (
        <span className="own-picture" data-unseen={isUnseen}>
          <Picture stream={stream} isMirror label={words.preview} />
        </span>
      )}
      {!isHeard && (
        <span className="marks">
          <span className="mark">
            <Sign of="microphone" isOff />
            <span className="heard-only">{words.notHeard}</span>
          </span>
        </span>
      )}
    </>
  )
}
