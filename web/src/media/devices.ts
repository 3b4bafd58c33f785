import { type Readable, Store } from '../../../client/store.ts'
import { recall, remember } from '../remembered.ts'

export type Device = 'camera' | 'microphone'
export const DEVICES = ['camera', 'microphone'] as const satisfies readonly Device[]

/** Why a device cannot be used: each has a sentence that says what to do. */
export type Trouble = 'denied' | 'missing' | 'busy' | 'insecure' | 'ended' | 'failed'

export type Captured =
  | { readonly status: 'off' | 'asking' }
  | { readonly status: 'on'; readonly track: MediaStreamTrack; readonly muted: boolean }
  | { readonly status: 'failed'; readonly trouble: Trouble }

const OFF: Captured = { status: 'off' }

/** Four by three like a tile: more would be thrown away by the largest of them. */
const WANTED = {
  camera: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } },
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
} satisfies Record<Device, MediaTrackConstraints>

/**
 * This page's camera and microphone: opened for the check before a table, they go on at it. `start` and `choose` never reject: what
 * failed is said by the store.
 */
class OwnDevices {
  readonly #captured = { camera: new Store<Captured>(OFF), microphone: new Store<Captured>(OFF) }
  /** Counts what was asked of a device: an answer that comes after a newer wish is let go. */
  readonly #asked = { camera: 0, microphone: 0 }

  get camera(): Readable<Captured> {
    return this.#captured.camera
  }

  get microphone(): Readable<Captured> {
    return this.#captured.microphone
  }

  /** Opens those of the devices that are not open, with one question of the browser. */
  async start(devices: readonly Device[]): Promise<void> {
    const wanted = devices.filter((device) => !['on', 'asking'].includes(this[device].current.status))
    for (const device of wanted) this.#captured[device].set({ status: 'asking' })
    await this.#open(wanted)
  }

  stop(devices: readonly Device[] = DEVICES): void {
    for (const device of devices) {
      this.#asked[device]++
      this.#letGo(device)
      this.#captured[device].set(OFF)
    }
  }

  /** Turns a device on or off. A microphone that is off stays open and is silent: it is back within a syllable. */
  toggle(device: Device): void {
    const { current } = this[device]
    if (current.status !== 'on') void this.start([device])
    else if (device === 'camera') this.stop([device])
    else {
      // Silent from here on, whatever becomes of the track.
      current.track.enabled = current.muted
      this.#captured[device].set({ ...current, muted: !current.muted })
    }
  }

  /** Uses this device from now on, also next time. */
  async choose(device: Device, id: string): Promise<void> {
    remember('browser', device, id)
    // Some telephones open one camera at a time.
    if (this.#letGo(device)) await this.#open([device])
  }

  async #open(devices: readonly Device[]): Promise<void> {
    if (devices.length === 0) return
    const asked = { ...this.#asked }
    for (const device of devices) asked[device] = ++this.#asked[device]
    const isWanted = (device: Device): boolean => this.#asked[device] === asked[device]
    try {
      const stream = await streamOf(devices)
      for (const device of devices) {
        const [track] = device === 'camera' ? stream.getVideoTracks() : stream.getAudioTracks()
        if (track !== undefined && isWanted(device)) this.#opened(device, track)
        else track?.stop()
      }
    } catch (error) {
      // One of them may be there: each is asked for by itself.
      if (devices.length > 1) await Promise.all(devices.filter(isWanted).map((device) => this.#open([device])))
      else for (const device of devices.filter(isWanted)) this.#failed(device, troubleOf(error))
    }
  }

  #opened(device: Device, track: MediaStreamTrack): void {
    const { current } = this[device]
    track.addEventListener('ended', () => {
      const { current: now } = this[device]
      if (now.status === 'on' && now.track === track) this.#failed(device, 'ended')
    })
    const muted = current.status === 'on' && current.muted
    track.enabled = !muted
    this.#captured[device].set({ status: 'on', track, muted })
  }

  #failed(device: Device, trouble: Trouble): void {
    this.#captured[device].set({ status: 'failed', trouble })
  }

  #letGo(device: Device): boolean {
    const { current } = this[device]
    if (current.status === 'on') current.track.stop()
    return current.status === 'on'
  }
}

export const ownDevices = new OwnDevices()

/** The id of the device that was chosen last; null: the browser's own choice. */
export const chosenDevice = (device: Device): string | null => recall('browser', device)

const streamOf = async (devices: readonly Device[]): Promise<MediaStream> => {
  const chosen = { camera: chosenDevice('camera'), microphone: chosenDevice('microphone') }
  const ask = (ids: Readonly<Record<Device, string | null>>): Promise<MediaStream> => {
    const of = (device: Device): MediaTrackConstraints | false => {
      const id = ids[device]
      return devices.includes(device) && { ...WANTED[device], ...(id === null ? {} : { deviceId: { exact: id } }) }
    }
    return mediaDevices().getUserMedia({ video: of('camera'), audio: of('microphone') })
  }
  try {
    return await ask(chosen)
  } catch (error) {
    // What was chosen is not connected today: then whatever is.
    if (troubleOf(error) !== 'missing' || devices.every((device) => chosen[device] === null)) throw error
    return ask({ camera: null, microphone: null })
  }
}

/** Throws where the browser gives no devices to this page. */
const mediaDevices = (): MediaDevices => {
  // Missing over http, whatever the types say.
  const devices: MediaDevices | undefined = navigator.mediaDevices
  if (devices === undefined) throw new DOMException('no devices for this page', 'InsecureError')
  return devices
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
  InsecureError: 'insecure',
}

/** What a refusal of `getUserMedia` means to the player. Pure. */
const troubleOf = (error: unknown): Trouble =>
  (error instanceof Error || error instanceof DOMException ? TROUBLES[error.name] : undefined) ?? 'failed'
