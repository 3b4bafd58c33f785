import { type ReactNode, useCallback, useRef } from 'react'
import type { PlayerId } from '../../../client/client.ts'
import type { RoomMedia } from '../../../client/media/types.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { useOwnStream } from './own-stream.ts'
import { Picture } from './picture.tsx'

interface ScreensProps {
  readonly media: RoomMedia
  nameOf(player: PlayerId): string
}

/** The screens that are shared with this player, and one's own, small. */
export const Screens = ({ media, nameOf }: ScreensProps) => {
  const { media: words } = useWords()
  const streams = useStore(media.streams)
  const own = useOwnStream(useStore(media.mine).get('screen')?.track ?? null)
  const shared = [...streams].flatMap(([player, { screen }]) =>
    screen?.getVideoTracks().length ? [{ player, screen }] : [],
  )
  if (shared.length === 0 && own === null) return null
  return (
    <div className="screens">
      {shared.map(({ player, screen }) => (
        <Screen key={player} caption={words.screenOf(nameOf(player))}>
          <Shared media={media} player={player} screen={screen} label={words.screenOf(nameOf(player))} />
        </Screen>
      ))}
      {own !== null && shared.length === 0 && (
        <Screen caption={words.yourScreen}>
          <Picture stream={own} label={words.yourScreen} />
        </Screen>
      )}
    </div>
  )
}

const Screen = ({ caption, children }: { caption: string; children: ReactNode }) => {
  const { media: words } = useWords()
  const figure = useRef<HTMLElement>(null)
  return (
    <figure className="screen" ref={figure}>
      {children}
      <figcaption>
        <span>{caption}</span>
        {document.fullscreenEnabled && (
          <button
            type="button"
            className="quiet"
            // Refused where another page holds the screen: it stays as large as it is.
            onClick={() => void figure.current?.requestFullscreen().catch(() => {})}
          >
            {words.enlarge}
          </button>
        )}
      </figcaption>
    </figure>
  )
}

interface SharedProps {
  readonly media: RoomMedia
  readonly player: PlayerId
  readonly screen: MediaStream
  readonly label: string
}

const Shared = ({ media, player, screen, label }: SharedProps) => {
  const show = useCallback((width: number) => media.show(player, 'screen', width), [media, player])
  return <Picture stream={screen} label={label} show={show} />
}
