import { useEffect } from 'react'
import type { Role } from '../../../client/client.ts'
import type { RoomMedia, Source } from '../../../client/media/types.ts'
import { useStore } from '../store.ts'
import { DEVICES, type Device, ownDevices } from './devices.ts'
import { wish, wishes } from './wishes.ts'

// Why video is not there is said by `media.state`, and it is tried again from there: a promise that fails here has nothing to add.
const unanswered = (): void => {}

/** Joins the room's video, publishes what this player's devices give, and keeps the wishes as the buttons set them. */
export const useTakingPart = (media: RoomMedia, role: Role): void => {
  const mayPublish = role === 'player'
  useEffect(() => {
    media.join().catch(unanswered)
    return () => {
      media.mine.current.get('screen')?.track.stop()
      void media.leave().catch(unanswered)
    }
  }, [media])
  useEffect(() => {
    if (mayPublish) void ownDevices.start(DEVICES.filter((device) => wishes.current?.[device]))
    else ownDevices.stop()
  }, [mayPublish])
  usePublished(media, 'camera', mayPublish)
  usePublished(media, 'microphone', mayPublish)
}

const usePublished = (media: RoomMedia, device: Device, mayPublish: boolean): void => {
  const captured = useStore(ownDevices[device])
  const track = captured.status === 'on' ? captured.track : null
  const isMuted = captured.status === 'on' && captured.muted
  const { status } = captured
  useEffect(() => {
    if (!mayPublish) return
    if (track !== null) media.publish({ [device]: track }).catch(unanswered)
    else if (media.mine.current.has(device)) media.unpublish(device).catch(unanswered)
  }, [media, device, track, mayPublish])
  const wasMuted = useStore(media.mine).get(device)?.muted
  useEffect(() => {
    if (wasMuted !== undefined && wasMuted !== isMuted) media.mute(device, isMuted).catch(unanswered)
  }, [media, device, isMuted, wasMuted])
  useEffect(() => {
    if (mayPublish && (status === 'on' || status === 'off')) wish({ [device]: status === 'on' && !isMuted })
  }, [device, status, isMuted, mayPublish])
}

/** Joins again after it was given up, with what was published. */
export const tryAgain = (media: RoomMedia): void => {
  const tracks: Partial<Record<Source, MediaStreamTrack>> = {}
  for (const device of DEVICES) {
    const { current } = ownDevices[device]
    if (current.status === 'on') tracks[device] = current.track
  }
  const tried = Object.keys(tracks).length > 0 ? media.publish(tracks) : media.join()
  tried.catch(unanswered)
}

/** Ends video for this player: the devices are let go, and the page goes on with masks. */
export const leaveVideo = (): void => {
  ownDevices.stop()
  wish({ video: false, camera: false, microphone: false })
}
