import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { type Device, ownDevices } from './devices.ts'
import { Sign } from './sign.tsx'

const KEYS = { camera: 'v', microphone: 'm' } as const

/** Turns the camera or the microphone on and off. */
export const DeviceButton = ({ device }: { device: Device }) => {
  const { media: words } = useWords()
  const captured = useStore(ownDevices[device])
  const isOn = captured.status === 'on' && !captured.muted
  const name = words.device[device]
  return (
    <button
      type="button"
      className="quiet tool device"
      aria-pressed={isOn}
      aria-busy={captured.status === 'asking'}
      aria-keyshortcuts={KEYS[device]}
      title={`${isOn ? words.isOn(name) : words.isOff(name)} (${KEYS[device].toUpperCase()})`}
      onClick={() => ownDevices.toggle(device)}
    >
      <Sign of={device} isOff={!isOn} />
      <span>{name}</span>
    </button>
  )
}
