import type { MediaState, RoomMedia } from '../../../client/media/types.ts'
import { useStore } from '../store.ts'
import { useWords, type Words } from '../words/words.ts'
import { DeviceTrouble } from './device-trouble.tsx'
import { tryAgain } from './taking-part.ts'
import { isSilenced, turnOnSound } from './voices.tsx'

/** What is between the player and video, and what to do; nothing while all is well. */
export const VideoLine = ({ media }: { media: RoomMedia }) => {
  const words = useWords()
  const state = useStore(media.state)
  const isSilent = useStore(isSilenced)
  const says = lineOf(state, words.media)
  return (
    <div className="video-line" data-status={state.status}>
      <p role="status">{says}</p>
      {state.status === 'preparing' && (
        <progress value={state.progress ?? undefined} aria-label={words.media.preparing} />
      )}
      {state.status === 'failed' && (
        <button type="button" className="button" onClick={() => tryAgain(media)}>
          {words.tryAgain}
        </button>
      )}
      {isSilent && (
        <>
          <p>{words.media.unmuteHint}</p>
          <button type="button" className="button primary" onClick={turnOnSound}>
            {words.media.unmute}
          </button>
        </>
      )}
      <DeviceTrouble />
    </div>
  )
}

const lineOf = ({ status }: MediaState, words: Words['media']): string => {
  switch (status) {
    case 'off':
    case 'live':
      return ''
    default:
      return words[status]
  }
}
