import { useEffect, useMemo, useState } from 'react'
import type { Session } from '../../../client/client.ts'
import { useSession } from '../../../client/react.ts'
import { useKeys } from '../keys.ts'
import { Shell } from '../page/shell.tsx'
import { recall, remember } from '../remembered.ts'
import { Mask } from '../room/mask.tsx'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { DeviceButton } from './device-button.tsx'
import { DeviceChoice } from './device-choice.tsx'
import { DeviceTrouble } from './device-trouble.tsx'
import { DEVICES, ownDevices } from './devices.ts'
import { Level } from './level.tsx'
import { useOwnStream } from './own-stream.ts'
import { Picture } from './picture.tsx'
import { WISHES_OF, wish } from './wishes.ts'
import './video.css'

/** Of the devices, those that were off when the player last went through here. */
const OFF_KEY = 'off'

/** The check before the table: how one will be seen and heard, with which devices, and the way in with them or without. */
export default function PreJoin({ name, session }: { name: string; session: Session }) {
  useSession(session)
  const { media: words } = useWords()
  const camera = useStore(ownDevices.camera)
  const microphone = useStore(ownDevices.microphone)
  const stream = useOwnStream(camera.status === 'on' ? camera.track : null)
  const [isIn, setIn] = useState(false)
  useEffect(() => {
    const off = recall('browser', OFF_KEY)?.split(' ') ?? []
    void ownDevices.start(DEVICES.filter((device) => !off.includes(device)))
  }, [])
  useKeys(useMemo(() => ({ m: () => ownDevices.toggle('microphone'), v: () => ownDevices.toggle('camera') }), []))

  const isHeard = microphone.status === 'on' && !microphone.muted
  const isSeen = camera.status === 'on'
  const comeIn = (): void => {
    if (isIn) return
    setIn(true)
    remember('browser', OFF_KEY, [!isSeen && 'camera', !isHeard && 'microphone'].filter(Boolean).join(' '))
    wish({ video: true, camera: isSeen, microphone: isHeard })
  }
  const comeInWithout = (): void => {
    ownDevices.stop()
    wish(WISHES_OF.off)
  }
  const isAsking = camera.status === 'asking' || microphone.status === 'asking'
  return (
    <Shell title={words.check}>
      <section className="pre-join" aria-labelledby="pre-join">
        <div className="mirror">
          <div className="mirror-face" data-seen={isSeen}>
            {session.player && <Mask id={session.player.id} />}
            {stream !== null && <Picture stream={stream} isMirror label={words.preview} />}
          </div>
          <div className="mirror-tools">
            {DEVICES.toReversed().map((device) => (
              <DeviceButton key={device} device={device} />
            ))}
          </div>
        </div>
        <div className="check-side">
          <h1 id="pre-join">{words.checkTitle(name)}</h1>
          <p className="soft" role="status">
            {isAsking ? words.asking : words.checkHint}
          </p>
          <DeviceTrouble />
          {DEVICES.map((device) => (
            <DeviceChoice key={device} device={device} />
          ))}
          {isHeard && (
            <div className="level-line">
              <Level track={microphone.track} />
              <small>{words.levelHint}</small>
            </div>
          )}
          <div className="actions">
            {(isSeen || isHeard) && (
              <button type="button" className="button primary large" onClick={comeIn}>
                {isSeen ? words.joinWithCamera : words.joinWithMicrophone}
              </button>
            )}
            <button
              type="button"
              className={isSeen || isHeard ? 'button large' : 'button primary large'}
              onClick={comeInWithout}
            >
              {words.joinWithout}
            </button>
          </div>
          <small>{words.withoutHint}</small>
        </div>
      </section>
    </Shell>
  )
}
