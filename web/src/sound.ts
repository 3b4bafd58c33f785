import { Store } from '../../client/store.ts'
import { recall, remember } from './remembered.ts'
import { useStore } from './store.ts'

/** What is worth a sound: your turn, time nearly up, something came to light. */
export type Cue = 'turn' | 'hurry' | 'reveal'

interface Note {
  readonly hz: number
  /** Seconds after the cue begins. */
  readonly at: number
  readonly seconds: number
  readonly gain: number
  readonly wave: OscillatorType
}

/** Plucked strings, a wood block, a drum with a bell over it: all soft. */
const CUES: Record<Cue, readonly Note[]> = {
  turn: [
    { hz: 587.33, at: 0, seconds: 0.5, gain: 0.09, wave: 'triangle' },
    { hz: 880, at: 0.11, seconds: 0.7, gain: 0.08, wave: 'triangle' },
  ],
  hurry: [
    { hz: 740, at: 0, seconds: 0.09, gain: 0.07, wave: 'sine' },
    { hz: 740, at: 0.18, seconds: 0.09, gain: 0.07, wave: 'sine' },
  ],
  reveal: [
    { hz: 98, at: 0, seconds: 0.6, gain: 0.2, wave: 'sine' },
    { hz: 440, at: 0.05, seconds: 0.9, gain: 0.05, wave: 'triangle' },
    { hz: 659.26, at: 0.05, seconds: 1.1, gain: 0.035, wave: 'sine' },
  ],
}

const isOn = new Store(recall('browser', 'sound') !== 'off')
let context: AudioContext | null = null

export const useSound = (): boolean => useStore(isOn)

/** Turns the sounds on or off, and remembers it. */
export const toggleSound = (): void => {
  isOn.set(!isOn.current)
  remember('browser', 'sound', isOn.current ? null : 'off')
  if (isOn.current) play('turn')
}

/** Plays a cue, where sounds are on and the browser lets this page be heard: after the first click or key. */
export const play = (cue: Cue): void => {
  if (!isOn.current || !navigator.userActivation?.hasBeenActive) return
  try {
    context ??= new AudioContext()
    void context.resume()
    for (const note of CUES[cue]) strike(context, note)
  } catch {
    // A device without sound.
  }
}

const strike = (audio: AudioContext, { hz, at, seconds, gain, wave }: Note): void => {
  const start = audio.currentTime + at
  const string = new OscillatorNode(audio, { frequency: hz, type: wave })
  const volume = new GainNode(audio, { gain: 0 })
  volume.gain.setValueAtTime(0.0001, start)
  volume.gain.exponentialRampToValueAtTime(gain, start + 0.012)
  volume.gain.exponentialRampToValueAtTime(0.0001, start + seconds)
  string.connect(volume).connect(audio.destination)
  string.start(start)
  string.stop(start + seconds)
}
