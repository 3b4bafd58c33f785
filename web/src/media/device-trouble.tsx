import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { DEVICES, ownDevices } from './devices.ts'

/** Why camera or microphone cannot be used, and what to do. */
export const DeviceTrouble = () => {
  const { media: words, tryAgain } = useWords()
  const captured = { camera: useStore(ownDevices.camera), microphone: useStore(ownDevices.microphone) }
  const troubled = DEVICES.flatMap((device) => {
    const { [device]: state } = captured
    return state.status === 'failed' ? [{ device, trouble: state.trouble }] : []
  })
  return (
    <div className="trouble" role="alert">
      {troubled.map(({ device, trouble }) => (
        <p key={device}>{words.trouble[trouble](words.inSentence[device])}</p>
      ))}
      {troubled.some(({ trouble }) => trouble !== 'insecure') && (
        <button
          type="button"
          className="button"
          onClick={() => void ownDevices.start(troubled.map(({ device }) => device))}
        >
          {tryAgain}
        </button>
      )}
    </div>
  )
}
