import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { useDeviceList } from './device-list.ts'
import { chosenDevice, type Device, ownDevices } from './devices.ts'

/** Which camera or microphone to use. Nothing where there is none to choose. */
export const DeviceChoice = ({ device }: { device: Device }) => {
  const { media: words } = useWords()
  const captured = useStore(ownDevices[device])
  const list = useDeviceList(device, captured.status === 'on')
  if (list.length === 0) return null
  const inUse = captured.status === 'on' ? captured.track.getSettings().deviceId : chosenDevice(device)
  return (
    <label className="field">
      <span>{words.device[device]}</span>
      <select
        value={list.find(({ deviceId }) => deviceId === inUse)?.deviceId ?? list[0]?.deviceId}
        onChange={(event) => void ownDevices.choose(device, event.target.value)}
      >
        {list.map(({ deviceId, label }, index) => (
          <option key={deviceId} value={deviceId}>
            {label || words.unnamed(words.device[device], index + 1)}
          </option>
        ))}
      </select>
    </label>
  )
}
