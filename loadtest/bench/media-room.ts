import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type RoomDocument, type Seq } from '../../protocol/frames.ts'
import { apply } from '../../protocol/patch.ts'
import { until } from '../../test/program.ts'
import type { Asked, Made } from './media-bare.ts'
import { RECEIVES, rtpParametersOf, Stream, type StreamShape } from './media-rtp.ts'
import { Ear, Mouth } from './media-traffic.ts'
import { many, Player } from './player.ts'
import type { Server } from './server.ts'

const AT_ONCE = 4
/** The sign of life that a node asks for. */
const PULSE_MS = 5_000
/** ssrcs of what the generator sends begin here, those that open a way above. */
const FIRST_SSRC = 10_000
const OPENING_SSRC = 1_000_000
let lastSsrc = FIRST_SSRC

/** People who send and receive, be it in a room of ours or over mediasoup alone. */
export interface Crowd {
  readonly mouths: readonly Mouth[]
  readonly ears: readonly Ear[]
  /** Packets that must arrive at the ears for what was sent so far. */
  expected(): number
  close(): void
}

export interface CrowdShape {
  players: number
  spectators: number
  streams: readonly StreamShape[]
}

const streamsOf = ({ players, streams }: CrowdShape): Stream[][] =>
  Array.from({ length: players }, () => streams.map((shape) => new Stream(++lastSsrc, shape)))

const crowdOf = async (streams: readonly Stream[][], { send, receive }: Made): Promise<Crowd> => {
  const mouths = await Promise.all(streams.map((own, nth) => Mouth.open(send[nth] ?? 0, own)))
  const ears = await Promise.all(receive.map((port, nth) => Ear.open(port, OPENING_SSRC + nth)))
  return {
    mouths,
    ears,
    expected: () => mouths.flatMap(({ sent }) => sent).reduce((total, sent) => total + sent * (ears.length - 1), 0),
    close() {
      for (const socket of [...mouths, ...ears]) socket.close()
    },
  }
}

/** The same people over mediasoup alone. */
export const bareCrowd = async (server: Server, shape: CrowdShape): Promise<Crowd> => {
  const streams = streamsOf(shape)
  const players = streams.map((own) => own.map(({ ssrc, shape: { kind } }) => ({ ssrc, kind })))
  const asked: Asked = { players, spectators: shape.spectators }
  return crowdOf(streams, await server.ask<Made>('make', asked))
}

/** What the rules of `mafia` show, as far as the bench reads it. */
interface Town {
  phase: 'night' | 'day' | 'over'
  endsAt: number | null
  role: 'mafia' | 'citizen' | null
}

/** Keeps the document of one member, and tells each change. */
class Watch {
  document: RoomDocument<Town> | null = null
  onChange: (document: RoomDocument<Town>, seq: Seq) => void = () => {}

  constructor({ wire }: Player) {
    wire.onMessage = (bytes, at, end) => {
      if (bytes[at + 1] !== OP.state && bytes[at + 1] !== OP.patch) return
      const frame = decode(bytes.subarray(at, end), SERVER_LIMITS) as [number, string, Seq, ...unknown[]]
      const isState = frame[0] === OP.state
      this.document = (isState ? frame[3] : apply(this.document, frame[4] as never)) as RoomDocument<Town>
      this.onChange(this.document, isState ? frame[2] : (frame[3] as Seq))
    }
  }
}

interface Joined {
  peer: string
  send: { iceCandidates: { port: number }[] } | null
  receive: { iceCandidates: { port: number }[] }
}
interface State {
  tracks: { track: string }[]
}

/** A room of `mafia` in play, whose members are all on video and receive whom the rules let them. */
export interface Table extends Crowd {
  readonly room: string
  /** Those whom the night forbids everything. */
  readonly citizens: readonly Ear[]
  /** Hears each beginning of a night or a day: the event's seq and `at`, in ms since the epoch. */
  onPhase: (phase: Town['phase'], seq: Seq, at: number) => void
}

let lastPlayer = 0

/** `seconds`: how long nights and days last. Resolves by day, once all receive all. */
export const seatedTable = async (
  server: Server,
  shape: CrowdShape,
  seconds: { night: number; day: number },
): Promise<Table> => {
  const people = shape.players + shape.spectators
  const players = await many(people, AT_ONCE, () => Player.enter(server.port, ++lastPlayer))
  const watches = players.map((player) => new Watch(player))
  const [host] = players
  const [watch] = watches
  if (host === undefined || watch === undefined) throw new Error('nobody is at the table')
  const room = await host.create('mafia', seconds)
  for (const [nth, player] of players.entries()) await player.join(room, nth < shape.players ? undefined : 'spectator')
  const call = <T>(player: Player, method: string, params: unknown = {}): Promise<T> =>
    player.ask(OP.call, room, `media.${method}`, params) as Promise<T>

  const joined = await many(people, AT_ONCE, async (nth) => call<Joined>(players[nth] ?? host, 'join'))
  const streams = streamsOf(shape)
  await many(shape.players, AT_ONCE, async (nth) => {
    for (const {
      ssrc,
      shape: { kind },
    } of streams[nth] ?? []) {
      const source = kind === 'video' ? 'camera' : 'microphone'
      await call(players[nth] ?? host, 'produce', { kind, source, rtpParameters: rtpParametersOf(kind, ssrc) })
    }
  })
  // While the room is open all may see and hear all.
  await many(people, AT_ONCE, async (nth) => {
    const player = players[nth] ?? host
    const { tracks } = await call<State>(player, 'state', { peer: joined[nth]?.peer, v: 0 })
    for (const { track } of tracks) {
      const { consumer } = await call<{ consumer: string }>(player, 'consume', { track, rtpCapabilities: RECEIVES })
      await call(player, 'resume', { consumer })
    }
  })
  await host.ask(OP.call, room, 'start')
  await until(() => watch.document?.game?.phase === 'day', 'the first day')

  const portOf = (pipe: Joined['receive'] | null | undefined) => pipe?.iceCandidates[0]?.port ?? 0
  const crowd = await crowdOf(streams, {
    send: joined.slice(0, shape.players).map(({ send }) => portOf(send)),
    receive: joined.map(({ receive }) => portOf(receive)),
  })
  const pulse = setInterval(() => {
    for (const [nth, player] of players.entries())
      player.tell(OP.call, room, 'media.state', { peer: joined[nth]?.peer, v: 0 })
  }, PULSE_MS)
  const table: Table = {
    ...crowd,
    room,
    citizens: crowd.ears.filter((_, nth) => watches[nth]?.document?.game?.role !== 'mafia'),
    onPhase: () => {},
    close() {
      clearInterval(pulse)
      for (const { wire } of players) wire.cut()
      crowd.close()
    },
  }
  let phase: Town['phase'] = 'day'
  watch.onChange = ({ game }, seq) => {
    if (game === null || game.phase === phase) return
    phase = game.phase
    if (phase !== 'over') table.onPhase(phase, seq, (game.endsAt ?? 0) - seconds[phase] * 1_000)
  }
  return table
}
