import { connect, type Room, type Session } from '../../client/client.ts'

// Runs in a browser: one page each for who publishes and who watches. Bundled by media-first-frame.ts.

/** Resolves with when the first picture of the stream was decoded and could be drawn, ms since the epoch. */
const firstPicture = (stream: MediaStream): Promise<number> =>
  new Promise((resolve) => {
    const video = document.body.appendChild(Object.assign(document.createElement('video'), { muted: true }))
    video.addEventListener(
      'loadeddata',
      () => {
        resolve(Date.now())
        video.remove()
      },
      { once: true },
    )
    video.srcObject = stream
    void video.play()
  })

class BenchPage {
  #session: Session | null = null
  #room: Room | null = null
  #camera: MediaStreamTrack | null = null

  get session(): Session {
    if (this.#session === null) throw new Error('not connected')
    return this.#session
  }

  get room(): Room {
    if (this.#room === null) throw new Error('not in a room')
    return this.#room
  }

  /** Resolves with the player's id. */
  async enter(url: string, token: string): Promise<string> {
    this.#session = connect({ url, token, deadline: 30_000 })
    return (await this.session.ready).id
  }

  async join(room: string): Promise<void> {
    this.#room = await this.session.join(room)
  }

  async camera(): Promise<MediaStreamTrack> {
    if (this.#camera === null) {
      const video = { width: 640, height: 360, frameRate: 30 }
      const [track] = (await navigator.mediaDevices.getUserMedia({ video })).getVideoTracks()
      if (track === undefined) throw new Error('there is no camera')
      this.#camera = track
    }
    return this.#camera
  }

  /** Resolves with when it began, ms since the epoch. */
  async publish(): Promise<number> {
    const camera = await this.camera()
    const began = Date.now()
    await this.room.media.publish({ camera })
    return began
  }

  async leave(): Promise<void> {
    await this.room.media.leave()
  }

  /** Resolves with when it began. */
  async watch(): Promise<number> {
    const began = Date.now()
    await this.room.media.join()
    return began
  }

  /** When the first picture of this player came, from now on. */
  async firstFrame(player: string): Promise<number> {
    const stream = await new Promise<MediaStream>((resolve) => {
      let end = () => {}
      const look = () => {
        const found = this.room.media.streams.current.get(player)
        if (found === undefined || found.stream.getVideoTracks().length === 0) return
        queueMicrotask(() => end())
        resolve(found.stream)
      }
      end = this.room.media.streams.subscribe(look)
      look()
    })
    return firstPicture(stream)
  }

  /** The same from one connection of this page to another, without any server: from the offer to the first picture, ms. */
  async withoutServer(): Promise<number> {
    const camera = await this.camera()
    const began = Date.now()
    const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()]
    from.onicecandidate = ({ candidate }) => candidate && void to.addIceCandidate(candidate)
    to.onicecandidate = ({ candidate }) => candidate && void from.addIceCandidate(candidate)
    const picture = new Promise<number>((resolve) => {
      to.ontrack = ({ track }) => resolve(firstPicture(new MediaStream([track])))
    })
    from.addTransceiver(camera, { direction: 'sendonly' })
    await from.setLocalDescription()
    if (from.localDescription) await to.setRemoteDescription(from.localDescription)
    await to.setLocalDescription()
    if (to.localDescription) await from.setRemoteDescription(to.localDescription)
    const took = (await picture) - began
    from.close()
    to.close()
    return took
  }
}

declare global {
  var bench: BenchPage
}
globalThis.bench = new BenchPage()
