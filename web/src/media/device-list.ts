import { useEffect, useState } from 'react'
import type { Device } from './devices.ts'

const KINDS = { camera: 'videoinput', microphone: 'audioinput' } as const satisfies Record<Device, MediaDeviceKind>

/** The cameras or microphones of this device as the browser tells them: by name only once one of them may be used. `isOpen` makes it ask again. */
export const useDeviceList = (device: Device, isOpen: boolean): readonly MediaDeviceInfo[] => {
  const [list, setList] = useState<readonly MediaDeviceInfo[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: with the first that opens, the names come.
  useEffect(() => {
    const devices: MediaDevices | undefined = navigator.mediaDevices
    if (devices === undefined) return
    let isCurrent = true
    const look = (): void => {
      devices.enumerateDevices().then(
        (all) => isCurrent && setList(all.filter(({ kind, deviceId }) => kind === KINDS[device] && deviceId !== '')),
        // What cannot be listed cannot be chosen: the browser's own choice stays.
        () => {},
      )
    }
    look()
    devices.addEventListener('devicechange', look)
    return () => {
      isCurrent = false
      devices.removeEventListener('devicechange', look)
    }
  }, [device, isOpen])
  return list
}
