import type { Connectivity, Receiver, ReceiverCount, Rtc, RtcListener, RtcPeer, Sender } from '../media/rtc.ts'
import type { Consumed, Direction, Joined, TrackId } from '../media/signals.ts'
import type { Source } from '../media/types.ts'
import { TestStream, TestTrack } from './tracks.ts'

const DTLS = { fingerprints: [] }

class TestSender implements Sender {
  readonly id: TrackId
  track: MediaStreamTrack
  flows = true
  closed = false

  constructor(id: TrackId, track: MediaStreamTrack) {
    this.id = id
    this.track = track
  }

  async replace(track: MediaStreamTrack): Promise<void> {
    this.track = track
  }

  flow(on: boolean): void {
    this.flows = on
  }

  async bytes(): Promise<number> {
    return 1_000
  }

  close(): void {
    this.closed = true
  }
}

class TestReceiver implements Receiver {
  readonly consumed: Consumed
  readonly track: TestTrack
  counted: ReceiverCount | null = null
  closed = false

  constructor(consumed: Consumed) {
    this.consumed = consumed
    this.track = new TestTrack(consumed.kind, consumed.track)
  }

  async count(): Promise<ReceiverCount | null> {
    return this.counted
  }

  close(): void {
    this.closed = true
  }
}

class TestPeer implements RtcPeer {
  readonly capabilities = { codecs: [] }
  readonly ids: RtcPeer['ids']
  readonly senders: TestSender[] = []
  readonly receivers: TestReceiver[] = []
  readonly restarts: Direction[] = []
  closed = false
  readonly #listener: RtcListener
  readonly #connected = new Map<string, Promise<void>>()

  constructor({ send, receive }: Joined, listener: RtcListener) {
    this.ids = { send: send?.id ?? null, receive: receive.id }
    this.#listener = listener
  }

  /** The browser says so of its connection. */
  is(direction: Direction, connectivity: Connectivity): void {
    this.#listener.changed(direction, connectivity)
  }

  async send(source: Source, track: MediaStreamTrack, muted: boolean): Promise<Sender> {
    if (this.ids.send === null) throw new Error('this peer only receives')
    await this.#connect(this.ids.send)
    const kind = track.kind === 'audio' ? 'audio' : 'video'
    const id = await this.#listener.produce({ kind, source, rtpParameters: { codecs: [] }, muted })
    const sender = new TestSender(id, track)
    this.senders.push(sender)
    return sender
  }

  async receive(consumed: Consumed): Promise<Receiver> {
    await this.#connect(this.ids.receive)
    const receiver = new TestReceiver(consumed)
    this.receivers.push(receiver)
    return receiver
  }

  async restart(direction: Direction): Promise<void> {
    this.restarts.push(direction)
  }

  close(): void {
    this.closed = true
  }

  /** The first use of a transport connects it, and the others wait for that. */
  async #connect(transport: string): Promise<void> {
    const connected = this.#connected.get(transport) ?? this.#listener.connect(transport, DTLS)
    this.#connected.set(transport, connected)
    await connected
  }
}

/** WebRTC without a network: remembers what it was told, and says what a test has it say. */
export class TestRtc implements Rtc {
  readonly peers: TestPeer[] = []

  stream(): MediaStream {
    return new TestStream()
  }

  async open(joined: Joined, listener: RtcListener): Promise<RtcPeer> {
    const peer = new TestPeer(joined, listener)
    this.peers.push(peer)
    return peer
  }

  /** The newest. */
  get peer(): TestPeer {
    const peer = this.peers.at(-1)
    if (!peer) throw new Error('nobody joined yet')
    return peer
  }
}
