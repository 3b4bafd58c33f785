import { useWords } from '../words/words.ts'
import { Sign } from './sign.tsx'
import { wish } from './wishes.ts'

/** The way back to video for whoever left it. */
export const JoinVideo = () => {
  const { media: words } = useWords()
  return (
    <div className="controls">
      <button type="button" className="quiet join-video" title={words.joinVideo} onClick={() => wish({ video: true })}>
        <Sign of="camera" />
        <span>{words.joinVideo}</span>
      </button>
    </div>
  )
}
