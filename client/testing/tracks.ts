/** A track of no device. */
export class TestTrack extends EventTarget implements MediaStreamTrack {
  readonly kind: 'audio' | 'video'
  readonly id: string
  readonly label = ''
  readonly muted = false
  readonly onended = null
  readonly onmute = null
  readonly onunmute = null
  contentHint = ''
  enabled = true
  readyState: MediaStreamTrackState = 'live'

  constructor(kind: 'audio' | 'video', id: string = kind) {
    super()
    this.kind = kind
    this.id = id
  }

  /** As where the device is unplugged. */
  end(): void {
    this.readyState = 'ended'
    this.dispatchEvent(new Event('ended'))
  }

  stop(): void {
    this.readyState = 'ended'
  }

  clone(): MediaStreamTrack {
    return new TestTrack(this.kind, this.id)
  }

  async applyConstraints(): Promise<void> {}

  getCapabilities(): MediaTrackCapabilities {
    return {}
  }

  getConstraints(): MediaTrackConstraints {
    return {}
  }

  getSettings(): MediaTrackSettings {
    return {}
  }
}

/** A stream that only holds its tracks. */
export class TestStream extends EventTarget implements MediaStream {
  readonly active = true
  readonly id = ''
  readonly onaddtrack = null
  readonly onremovetrack = null
  readonly #tracks = new Set<MediaStreamTrack>()

  addTrack(track: MediaStreamTrack): void {
    this.#tracks.add(track)
  }

  removeTrack(track: MediaStreamTrack): void {
    this.#tracks.delete(track)
  }

  getTracks(): MediaStreamTrack[] {
    return [...this.#tracks]
  }

  getAudioTracks(): MediaStreamTrack[] {
    return this.getTracks().filter(({ kind }) => kind === 'audio')
  }

  getVideoTracks(): MediaStreamTrack[] {
    return this.getTracks().filter(({ kind }) => kind === 'video')
  }

  getTrackById(id: string): MediaStreamTrack | null {
    return this.getTracks().find((track) => track.id === id) ?? null
  }

  clone(): MediaStream {
    return new TestStream()
  }
}
