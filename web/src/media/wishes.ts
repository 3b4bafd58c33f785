import { Store } from '../../../client/store.ts'
import { recall, remember } from '../remembered.ts'

const KEY = 'video'

/** How this tab's player takes part in video; a reload, and the next room, go on the same way. */
export interface Wishes {
  /** To see and hear the others. */
  readonly video: boolean
  readonly camera: boolean
  readonly microphone: boolean
}

/** What `&av=` in a link asks for. */
export const WISHES_OF: Readonly<Record<'on' | 'off', Wishes>> = {
  on: { video: true, camera: true, microphone: true },
  off: { video: true, camera: false, microphone: false },
}

const kept = (): Wishes | null => {
  const flags = recall('tab', KEY)?.split(' ')
  if (flags === undefined) return null
  return {
    video: flags.includes('video'),
    camera: flags.includes('camera'),
    microphone: flags.includes('microphone'),
  }
}

/** Null until the player, or a link, said how: then the check before the table asks. */
export const wishes = new Store<Wishes | null>(kept())

/** Changes some of the wishes, and keeps them for this tab. */
export const wish = (changed: Partial<Wishes>): void => {
  const now = { ...(wishes.current ?? WISHES_OF.off), ...changed }
  const { video, camera, microphone } = now
  remember('tab', KEY, [video && 'video', camera && 'camera', microphone && 'microphone'].filter(Boolean).join(' '))
  wishes.set(now)
}
