import { useRef } from 'react'
import type { RoomMedia } from '../../../client/media/types.ts'
import { Store } from '../../../client/store.ts'
import { useStore } from '../store.ts'
import { useStream } from './picture.tsx'

/** Whether the browser refused to let voices be heard before the player did anything. */
export const isSilenced = new Store(false)

/** The voices of those who may be heard, and the sound of screens. */
export const Voices = ({ media }: { media: RoomMedia }) => {
  const streams = useStore(media.streams)
  return (
    <div className="voices">
      {[...streams].map(([player, { stream, screen, microphone }]) => [
        microphone && <Voice key={player} stream={stream} />,
        screen !== null && screen.getAudioTracks().length > 0 && <Voice key={`${player} screen`} stream={screen} />,
      ])}
    </div>
  )
}

const Voice = ({ stream }: { stream: MediaStream }) => {
  const audio = useRef<HTMLAudioElement>(null)
  useStream(audio, stream, beHeard)
  // biome-ignore lint/a11y/useMediaCaption: people speak here, now.
  return <audio ref={audio} />
}

const beHeard = async (audio: HTMLMediaElement): Promise<void> => {
  try {
    await audio.play()
  } catch (error) {
    // An element that went away meanwhile aborts: that is nobody's refusal.
    if (error instanceof DOMException && error.name === 'NotAllowedError') isSilenced.set(true)
  }
}

/** Lets everybody be heard, called from a click: then the browser does. */
export const turnOnSound = (): void => {
  isSilenced.set(false)
  for (const audio of document.querySelectorAll<HTMLAudioElement>('.voices audio')) void beHeard(audio)
}
