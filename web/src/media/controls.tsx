import { useMemo, useRef } from 'react'
import type { Role } from '../../../client/client.ts'
import type { RoomMedia } from '../../../client/media/types.ts'
import { useKeys } from '../keys.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { DeviceButton } from './device-button.tsx'
import { DeviceChoice } from './device-choice.tsx'
import { DEVICES, ownDevices } from './devices.ts'
import { Sign } from './sign.tsx'
import { leaveVideo } from './taking-part.ts'

/** Camera, microphone and screen on and off; which devices; and the way out of video. */
export const Controls = ({ media, role }: { media: RoomMedia; role: Role }) => {
  const { media: words, close } = useWords()
  const dialog = useRef<HTMLDialogElement>(null)
  const mayPublish = role === 'player'
  useKeys(
    useMemo(
      () => (mayPublish ? { m: () => ownDevices.toggle('microphone'), v: () => ownDevices.toggle('camera') } : {}),
      [mayPublish],
    ),
  )
  return (
    <fieldset className="controls" aria-label={words.controls}>
      {mayPublish && (
        <>
          {DEVICES.toReversed().map((device) => (
            <DeviceButton key={device} device={device} />
          ))}
          <ShareButton media={media} />
        </>
      )}
      <button
        type="button"
        className="quiet tool"
        aria-label={words.devices}
        title={words.devices}
        onClick={() => dialog.current?.showModal()}
      >
        <Sign of="devices" />
      </button>
      <dialog ref={dialog} className="devices" aria-labelledby="devices">
        <h2 id="devices">{words.devices}</h2>
        {mayPublish && DEVICES.map((device) => <DeviceChoice key={device} device={device} />)}
        <p className="soft">{words.leaveVideoHint}</p>
        <div className="actions">
          <button type="button" className="button danger" onClick={leaveVideo}>
            {words.leaveVideo}
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {close}
          </button>
        </div>
      </dialog>
    </fieldset>
  )
}

const ShareButton = ({ media }: { media: RoomMedia }) => {
  const { media: words } = useWords()
  const isShared = useStore(media.mine).has('screen')
  // Telephones have no such thing.
  if (navigator.mediaDevices?.getDisplayMedia === undefined) return null
  const label = isShared ? words.stopSharing : words.share
  return (
    <button
      type="button"
      className="quiet tool"
      aria-pressed={isShared}
      aria-label={words.share}
      title={label}
      onClick={() => void (isShared ? stopSharing(media) : share(media)).catch(() => {})}
    >
      <Sign of="screen" />
    </button>
  )
}

/** Rejects where the player chose no screen after all, or the server does not take it: then nothing is shared. */
const share = async (media: RoomMedia): Promise<void> => {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: true })
  const [screen] = stream.getVideoTracks()
  const [sound] = stream.getAudioTracks()
  try {
    await media.publish({ screen, 'screen-audio': sound })
  } catch (error) {
    for (const track of stream.getTracks()) track.stop()
    throw error
  }
}

const stopSharing = async (media: RoomMedia): Promise<void> => {
  for (const source of ['screen', 'screen-audio'] as const) {
    const own = media.mine.current.get(source)
    own?.track.stop()
    if (own !== undefined) await media.unpublish(source)
  }
}
