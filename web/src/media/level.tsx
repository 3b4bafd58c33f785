import { useEffect, useRef } from 'react'
import { useWords } from '../words/words.ts'

/** Speech stays far below the loudest that a microphone can tell. */
const GAIN = 5
/** How much of a bar is left after each picture: it jumps up and sinks. */
const SINK = 0.9

/** How loud the microphone hears the player, as a bar. */
export const Level = ({ track }: { track: MediaStreamTrack }) => {
  const { media: words } = useWords()
  const bar = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const audio = new AudioContext()
    const ears = new AnalyserNode(audio, { fftSize: 1024 })
    audio.createMediaStreamSource(new MediaStream([track])).connect(ears)
    // A browser may want a click or a key before it lets anything run that could sound.
    const wake = (): void => void audio.resume().catch(() => {})
    wake()
    window.addEventListener('pointerdown', wake)
    window.addEventListener('keydown', wake)
    const wave = new Float32Array(ears.fftSize)
    let level = 0
    let frame = 0
    const draw = (): void => {
      ears.getFloatTimeDomainData(wave)
      const loudness = Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length)
      level = Math.max(Math.min(1, loudness * GAIN), level * SINK)
      bar.current?.style.setProperty('--level', level.toFixed(2))
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('pointerdown', wake)
      window.removeEventListener('keydown', wake)
      void audio.close()
    }
  }, [track])
  return <div ref={bar} className="level" role="img" aria-label={words.level} />
}
