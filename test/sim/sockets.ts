import type { OpenSocket, SocketListener } from '../../client/environment.ts'
import type { Peer, Socket } from '../../gateway/socket.ts'
import { OP } from '../../protocol/frames.ts'
import { frameOf } from './checks/wire.ts'
import type { Link, SimNetwork } from './network.ts'
import type { Door, Site } from './site.ts'

/** What a client sees whose connection broke without a close frame. */
const ABNORMAL = 1006
const DRAINED_BYTES = 16_384

/** Simulated sockets: each direction keeps its order and takes its time; links are cut, which both ends notice late, or die by halves. */
export class SimSockets {
  readonly #network: SimNetwork

  constructor(network: SimNetwork) {
    this.#network = network
  }

  /** Opens sockets for one bot, each at any gateway. */
  opener(who: string): OpenSocket {
    const { ground, doors } = this.#network
    return (_url, listener) => this.#open(who, ground.dice.sockets.pick(doors), listener)
  }

  #open(who: string, door: Door, client: SocketListener): ReturnType<OpenSocket> {
    const { ground, tap } = this.#network
    const { clock, dice, timeline } = ground
    const conn = this.#network.number()
    const blind = { up: false, down: false }
    const up = this.#network.line(() => !blind.up)
    const down = this.#network.line(() => !blind.down)
    let clientOpen = true
    let peer: Peer | null = null
    let site: Site | null = null
    let buffered = 0
    const topics = new Set<string>()
    const arrive = (task: () => void) => site?.host.arrive(task)
    const leave = (task: () => void) => site?.host.leave(task)

    const forgetOnceClosed = () => {
      if (!clientOpen && peer === null) this.#network.links.delete(link)
    }
    const clientClosed = (code: number, reason: string) => {
      if (!clientOpen) return
      clientOpen = false
      forgetOnceClosed()
      client.closed(code, reason)
    }
    const serverClosed = (code: number) => {
      for (const topic of topics) site?.topics.unsubscribe(topic, socket)
      topics.clear()
      const open = peer
      peer = null
      forgetOnceClosed()
      open?.closed(code)
    }
    const link: Link = {
      who,
      get server() {
        return site?.host ?? null
      },
      get isSick() {
        return blind.up || blind.down
      },
      cut: () => {
        timeline.note(null, `link ${conn} of ${who} is cut`)
        blind.up = true
        blind.down = true
        clock.after(dice.sockets.between(0, 2_000), () => clientClosed(ABNORMAL, ''))
        clock.after(dice.sockets.between(0, 6_000), () => arrive(() => serverClosed(ABNORMAL)))
      },
      orphan: (isHeard) => {
        peer = null
        if (isHeard) down(() => clientClosed(ABNORMAL, ''))
        else {
          timeline.note(null, `link ${conn} of ${who} has lost its gateway and does not know it`)
          blind.up = true
          blind.down = true
        }
        forgetOnceClosed()
      },
      halve: (direction) => {
        timeline.note(null, `link ${conn} of ${who} loses what goes ${direction === 'both' ? 'either way' : direction}`)
        if (direction !== 'down') blind.up = true
        if (direction !== 'up') blind.down = true
      },
    }
    const socket: Socket = {
      send: (bytes) => {
        if (peer === null) return false
        buffered += bytes.length
        const takenIn = () => {
          const wasBehind = buffered > DRAINED_BYTES
          buffered -= bytes.length
          if (wasBehind && buffered <= DRAINED_BYTES) arrive(() => peer?.drained())
          if (!clientOpen) return
          tap.delivered(who, conn, 'socket', frameOf(bytes))
          client.message(bytes)
        }
        leave(() => down(takenIn))
        return true
      },
      bufferedAmount: () => (blind.down ? 0 : buffered),
      ping: () => leave(() => down(() => up(() => arrive(() => peer?.alive())))),
      cork: (task) => task(),
      subscribe: (topic) => {
        topics.add(topic)
        site?.topics.subscribe(topic, socket)
      },
      unsubscribe: (topic) => {
        topics.delete(topic)
        site?.topics.unsubscribe(topic, socket)
      },
      end: (code, reason) => {
        timeline.note(null, `link ${conn} of ${who} is ended by ${site?.name}: ${code} ${reason}`)
        leave(() => down(() => clientClosed(code, reason)))
        serverClosed(code)
      },
      cut: () => {
        leave(() => clock.after(dice.sockets.between(0, 2_000), () => clientClosed(ABNORMAL, '')))
        serverClosed(ABNORMAL)
      },
    }
    this.#network.links.add(link)
    up(() => {
      if (!clientOpen) return
      if (door.swallowsUpgrades) return timeline.count('upgrades swallowed')
      const { host, name, gateway } = door.site
      if (host.isDead) return down(() => clientClosed(ABNORMAL, ''))
      site = door.site
      arrive(() => {
        timeline.note(null, `link ${conn} of ${who} opens at ${name}`)
        peer = gateway.open(socket, { token: null, address: '127.0.0.1' })
        leave(() => down(() => clientOpen && client.opened()))
      })
    })
    return {
      send: (bytes) => {
        if (!clientOpen) return
        tap.sent(who, conn, 'socket', frameOf(bytes))
        up(() => arrive(() => peer?.binary(bytes)))
        if (bytes[1] !== OP.join && this.#network.isImpatient()) {
          tap.sent(who, conn, 'socket', frameOf(bytes))
          up(() => arrive(() => peer?.binary(bytes)))
        }
      },
      close: (code = 1000, reason = '') => {
        up(() => arrive(() => serverClosed(code)))
        clock.after(0, () => clientClosed(code, reason))
      },
      buffered: 0,
    }
  }
}
