import { type RefObject, useEffect, useRef } from 'react'
import type { PlayerId } from '../../../client/client.ts'

interface PictureProps {
  readonly stream: MediaStream
  readonly label: string
  /** Whose camera it is, where it is another player's. */
  readonly player?: PlayerId
  /** One's own camera, as in a mirror. */
  readonly isMirror?: boolean
  /** Told how wide it is drawn, in device pixels; 0 while it is out of view. Keeps its identity. */
  show?(width: number): void
}

/** What a camera or a screen shows: it moves, and is silent. */
export const Picture = ({ stream, label, player, isMirror = false, show }: PictureProps) => {
  const video = useRef<HTMLVideoElement>(null)
  useStream(video, stream)
  useShownWidth(video, show)
  return (
    <video
      ref={video}
      className={isMirror ? 'mirrored' : undefined}
      data-player={player}
      aria-label={label}
      playsInline
      autoPlay
      muted
    />
  )
}

/** Gives an element the stream to play; `begin`, which keeps its identity, is called with it then. */
export const useStream = (
  element: RefObject<HTMLMediaElement | null>,
  stream: MediaStream,
  begin?: (element: HTMLMediaElement) => unknown,
): void => {
  useEffect(() => {
    const { current } = element
    if (current === null) return
    current.srcObject = stream
    begin?.(current)
    return () => {
      current.srcObject = null
    }
  }, [element, stream, begin])
}

const useShownWidth = (element: RefObject<HTMLElement | null>, show?: (width: number) => void): void => {
  useEffect(() => {
    const { current } = element
    if (current === null || show === undefined) return
    let isInView = true
    const tell = (): void => show(isInView ? Math.round(current.clientWidth * devicePixelRatio) : 0)
    const sizes = new ResizeObserver(tell)
    const views = new IntersectionObserver((entries) => {
      isInView = entries.at(-1)?.isIntersecting ?? true
      tell()
    })
    sizes.observe(current)
    views.observe(current)
    return () => {
      sizes.disconnect()
      views.disconnect()
    }
  }, [element, show])
}
