import type { Logger } from 'pino'
import type { Bus } from '../bus/bus.ts'
import type { AnswerItem, Ask, ConnId, EngineId, Envelope, GatewayId, Item, Told } from '../bus/messages.ts'
import { commandSubject, gatewaySubject, partitionOf } from '../bus/subjects.ts'
import type { Chance, Clock } from '../protocol/clock.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { PlayerId, Ref, RoomId } from '../protocol/frames.ts'
import { Commands } from './commands.ts'
import { Connection, type Who } from './connection.ts'
import { createCounters, type GatewayCounters } from './counters.ts'
import { Departures } from './departures.ts'
import { drain, sayBye, spreadMs } from './drain.ts'
import { Engines } from './engines.ts'
import { Fanout } from './fanout.ts'
import type { Limits } from './greeting.ts'
import type { Authenticator, Identity } from './identity.ts'
import { MediaCalls } from './media-calls.ts'
import { RoomsHere } from './membership.ts'
import { ConnectionPeer, type PeerPorts } from './peer.ts'
import { Posts } from './posts.ts'
import { feelPulses } from './pulse.ts'
import { Questions } from './questions.ts'
import { type Reading, Reads } from './reads.ts'
import { Reattach } from './reattach.ts'
import { Reception } from './reception.ts'
import { Requests } from './requests.ts'
import type { HttpSocket, Origin, Peer, Publish, Socket } from './socket.ts'
import { Streams } from './stream.ts'

const WATCH_MS = 500
/** Pulses are felt with every sixth watch: every 3 s. */
const PULSE_WATCHES = 6

export interface GatewayOptions {
  /** Never used before: engines take what has the ids of an earlier one's requests for late copies. */
  id: GatewayId
  bus: Bus
  clock: Clock
  chance: Chance
  authenticator: Authenticator
  publish: Publish
  /** The same at every gateway of a cluster, secret: room ids are derived from it. */
  clusterKey: Uint8Array
  limits: Limits
  log: Logger
}

export interface Gateway {
  readonly counters: GatewayCounters
  readonly isDraining: boolean
  /** How many engines are there: without one nothing can be played. */
  readonly engines: number
  /** Takes a socket that has just opened. */
  open(socket: Socket, origin: Origin): Peer
  ask(about: Ask['about']): Promise<Told>
  /** Resolves with what answers one frame over HTTP, whose sender has drawn from the rates. */
  command(
    who: Pick<Who, 'player' | 'session'>,
    room: RoomId,
    frame: { bytes: Uint8Array; ref: Ref },
  ): Promise<Uint8Array[]>
  /** Frames over HTTP, which `scan` has accepted: resolves with what answers them, in order; null where too many of this player's wait. */
  post(who: Who, address: string, frames: readonly Uint8Array[]): Promise<Uint8Array[] | null>
  /** What a member missed. Rejects with Refusal. */
  read(reading: Reading): Promise<Uint8Array[]>
  /** Takes an HTTP response that stands for a socket; see `Reads` for what is answered. */
  hold(reading: Reading, socket: HttpSocket, address: string): { peer: Peer; answered: Promise<Uint8Array[]> }
  /** Takes one from a player's rate and, for guests, from the address's; returns the ms to wait, or 0. */
  drawFor(identity: Identity, address: string): number
  /** Takes one from a player's rate; returns the ms to wait, or 0. */
  draw(player: PlayerId): number
  /** The same from an address's. */
  drawAddress(address: string): number
  /** Says BYE to everyone, waits for the answers under way, and resolves when all sockets are told to end. */
  drain(): Promise<void>
  /** Forgets everything at once; sockets are the edge's to close. */
  close(): void
  /** Spectators who are out of their audience until their sockets drain. */
  spectatorsBehind(): number
  /** How much is held, by what: all zero when nobody is connected and no engine owes an answer. */
  held(): Record<'connections' | 'rooms' | 'requests' | 'rates' | 'attaching', number>
}

/**
 * Returns the gateway over any kind of socket, bus, clock and chance: connections, and what goes on between them and the
 * engines. It has no timers but the clock's, and nothing to lose but its sockets.
 */
export const createGateway = (options: GatewayOptions): Gateway => {
  const { id, bus, clock, chance, log } = options
  const counters = createCounters()
  const connections = new Map<ConnId, Connection>()
  const soon = (task: () => void) => clock.soon(task)
  const rooms = new RoomsHere()
  const requests = new Requests(bus, clock, counters)
  const questions = new Questions(id, requests, clock)
  const departures = new Departures(id, requests, soon)
  const fanout: Fanout = new Fanout(rooms, clock, counters, options.publish, () => reattach)
  const reattach = new Reattach(id, requests, clock, counters, (membership, standing, item) =>
    fanout.attached(membership, standing, item),
  )
  const commands = new Commands(id, requests)
  const mediaCalls = new MediaCalls(commands, requests)
  const reception = new Reception({
    ...options,
    counters,
    mediaCalls,
    lanes: { gateway: id, requests, clock, onAnswer: (connection, item) => fanout.answer(connection, item) },
  })
  const posts = new Posts({ ...options, counters, commands, reception })
  const reads = new Reads(id, requests, (connection, item) => fanout.answer(connection, item))
  const onLoss = (engine: EngineId) => {
    const lost = [...rooms.all()].filter((room) => room.engine === engine)
    // One that has handed over what it had is no loss.
    if (lost.length === 0) return
    log.warn({ engine, rooms: lost.length }, 'lost part of what an engine sent: its members here are attached again')
    for (const room of lost) reattach.addRoom(room)
  }
  const streams = new Streams(clock, counters, onLoss)
  let lastConn = 0
  let watches = 0
  let isDraining = false

  /** A new owner is told who is here, and what nobody has answered. */
  const engines = new Engines(id, bus, clock, (partition, engine, isFirst) => {
    for (const room of rooms.of(partition)) {
      room.engine = engine
      reattach.addRoom(room)
    }
    if (!isFirst) requests.sendAgain(commandSubject(partition))
  })

  /** False for an item of an owner that has been replaced. */
  const isCurrent = ({ room, epoch }: { room: string; epoch: number }, engine: EngineId): boolean => {
    const isTrue = room === '' || engines.isOwner(partitionOf(room), epoch, engine)
    if (!isTrue) counters.dropsStale++
    return isTrue
  }

  /**
   * A late copy of a request may have made its engine let a connection go that was in the room by the answer to the first, or take
   * one in that has gone out since: then the engine is to hear of its end.
   */
  const answeredAgain = ({ room, conn, attached }: AnswerItem) => {
    if (conn === null || attached === undefined) return
    const connection = connections.get(conn)
    if (attached) {
      if (connection) connection.joined.set(room, true)
      else departures.add(room, conn)
      return
    }
    const membership = connection?.memberships.get(room)
    if (membership && membership.standing.is !== 'behind') reattach.add(membership)
  }

  const read = (item: Item, engine: EngineId) => {
    if (item.kind === 'told') requests.reply(item)
    else if (!isCurrent(item, engine)) return
    else if (item.kind === 'answer') {
      if (!requests.reply(item)) answeredAgain(item)
    } else if (item.kind === 'output') fanout.output(item)
    else fanout.close(item, connections.get(item.conn))
  }

  const onEnvelope = (envelope: Envelope): void => {
    if (!streams.accept(envelope)) return
    fanout.begin(envelope.engine)
    try {
      for (const item of envelope.items) read(item, envelope.engine)
      fanout.flush()
    } catch (err) {
      log.error({ err, engine: envelope.engine }, 'an envelope could not be read: taken for lost')
      onLoss(envelope.engine)
    }
    counters.rooms = rooms.size
  }

  const unsubscribe = bus.subscribe(gatewaySubject(id), (message) => {
    if (message.kind === 'envelope') onEnvelope(message)
  })

  const watch = (): void => {
    if (++watches % PULSE_WATCHES === 0) feelPulses(connections, clock.now())
    streams.watch()
    fanout.watch()
    cancelWatch = clock.after(WATCH_MS, watch)
  }
  let cancelWatch = clock.after(WATCH_MS, watch)

  const receive = (connection: Connection, bytes: Uint8Array, now: number) => {
    try {
      reception.receive(connection, bytes, now)
    } catch (err) {
      const { lifecycle } = connection
      log.error(
        { err, conn: connection.id, player: 'player' in lifecycle ? lifecycle.player.id : null },
        'a frame failed here',
      )
      connection.end(CLOSE.restarting, 'something failed here: come back')
    }
  }

  const onClosed = (connection: Connection, code: number): void => {
    const { lifecycle } = connection
    if (lifecycle.is === 'closed') return
    if (lifecycle.is === 'awaiting-hello' || lifecycle.is === 'authenticating') lifecycle.cancel()
    connection.lifecycle = { is: 'closed' }
    for (const lane of connection.lanes.values()) lane.close()
    connection.lanes.clear()
    mediaCalls.drop(connection)
    for (const membership of connection.memberships.values()) rooms.leave(membership)
    for (const room of connection.joined.keys()) departures.add(room, connection.id)
    connections.delete(connection.id)
    counters.connections = connections.size
    counters.rooms = rooms.size
    if (!connection.socket.response) counters.closes.set(code, (counters.closes.get(code) ?? 0) + 1)
  }

  const peers: PeerPorts = { clock, fanout, receive, closed: onClosed }

  return {
    counters,
    get isDraining() {
      return isDraining
    },
    get engines() {
      return engines.size
    },

    open(socket, origin) {
      const connection = new Connection(++lastConn, socket, origin, clock.now(), counters)
      connections.set(connection.id, connection)
      counters.accepted++
      counters.connections = connections.size
      reception.greet(connection)
      if (isDraining) {
        sayBye(connection, chance.uint32() % spreadMs(connections.size))
        // Not at once: the edge has not got its peer yet.
        clock.soon(() => connection.end(CLOSE.restarting, 'restarting'))
      }
      return new ConnectionPeer(connection, peers)
    },

    ask: (about) => questions.ask(about),
    command: (who, room, frame) =>
      new Promise((resolve) => {
        const subject = commandSubject(partitionOf(room))
        commands.send(who, { room, subject, frames: [frame] }, resolve)
      }),
    post: async (who, address, frames) => (posts.isFull(who.player.id) ? null : posts.answer(who, address, frames)),
    read: (reading) => reads.once(reading),

    hold(reading, socket, address) {
      const connection = new Connection(++lastConn, socket, { token: null, address }, clock.now(), counters)
      connection.lifecycle = { is: 'online', ...reading.who }
      // Its engine may know of it from the first request on.
      connection.joined.set(reading.room, true)
      connections.set(connection.id, connection)
      counters.connections = connections.size
      return { peer: new ConnectionPeer(connection, peers), answered: reads[socket.response.as](reading, connection) }
    },

    drawFor: ({ id, name, guest }, address) => reception.draw({ player: { id, name }, guest }, address),
    draw: (player) => reception.players.take(player),
    drawAddress: (address) => reception.addresses.take(address),

    drain() {
      isDraining = true
      return drain(connections, clock, chance, () => posts.size > 0)
    },

    close() {
      unsubscribe()
      engines.close()
      cancelWatch()
      for (const { lifecycle, lanes } of connections.values()) {
        if ('cancel' in lifecycle) lifecycle.cancel()
        for (const lane of lanes.values()) lane.close()
      }
      reattach.close()
      requests.close()
      reception.close()
    },

    spectatorsBehind: () => {
      let count = 0
      for (const { members } of rooms.all())
        for (const { standing } of members.values()) if (standing.is === 'behind') count++
      return count
    },

    held: () => ({
      connections: connections.size,
      rooms: rooms.size,
      requests: requests.size,
      rates: reception.size,
      attaching: reattach.size,
    }),
  }
}
