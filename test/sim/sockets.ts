import type { OpenSocket, SocketListener } from '../../client/environment.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Peer, Publish, Socket } from '../../gateway/socket.ts'
import { OP } from '../../protocol/frames.ts'
import type { Ground } from './ground.ts'

/** What a client sees whose connection broke without a close frame. */
const ABNORMAL = 1006
const DRAINED_BYTES = 16_384

/** A gateway and who subscribes to which of its topics. */
export interface Site {
  readonly name: string
  readonly gateway: Gateway
  readonly topics: Topics
}

/** An address, and the gateway that takes connections there now. */
export interface Door {
  site: Site
}

type Topics = Map<string, Set<Socket>>

export const publishTo =
  (topics: Topics): Publish =>
  (topic, bytes) => {
    for (const socket of [...(topics.get(topic) ?? [])]) socket.send(bytes)
  }

/** Hears what goes over the sockets of one bot: `conn` is another one for each socket. */
export interface WireTap {
  sent(who: string, conn: number, bytes: Uint8Array): void
  delivered(who: string, conn: number, bytes: Uint8Array): void
}

/** Who sits where on a link. A side that is blind hears nothing any more, and does not know it. */
interface Link {
  readonly who: string
  /** Whether something is lost on it that an end that is still open may wait for. */
  readonly isSick: boolean
  cut(): void
  /** What goes up or down is lost from now on. */
  halve(direction: 'up' | 'down' | 'both'): void
}

/** Simulated sockets: each direction keeps its order and takes its time; links are cut, which both ends notice late, or die by halves. */
export class SimSockets {
  /** Probability that a frame takes up to 150 ms. */
  slow = 0
  /** Probability that a client's frame is sent twice, as an impatient program would; JOINs are the SDK's own. */
  impatience = 0
  readonly links = new Set<Link>()
  readonly #ground: Ground
  readonly #doors: readonly Door[]
  readonly #tap: WireTap
  #conns = 0

  constructor(ground: Ground, doors: readonly Door[], tap: WireTap) {
    this.#ground = ground
    this.#doors = doors
    this.#tap = tap
  }

  /** Opens sockets for one bot, each at any gateway. */
  opener(who: string): OpenSocket {
    return (_url, listener) => this.#open(who, this.#ground.dice.sockets.pick(this.#doors), listener)
  }

  #open(who: string, door: Door, client: SocketListener): ReturnType<OpenSocket> {
    const { clock, dice, timeline } = this.#ground
    const conn = ++this.#conns
    const blind = { up: false, down: false }
    const up = this.#line(() => !blind.up)
    const down = this.#line(() => !blind.down)
    let clientOpen = true
    let peer: Peer | null = null
    let site = door.site
    let buffered = 0

    const forgetOnceClosed = () => {
      if (!clientOpen && peer === null) this.links.delete(link)
    }
    const clientClosed = (code: number, reason: string) => {
      if (!clientOpen) return
      clientOpen = false
      forgetOnceClosed()
      client.closed(code, reason)
    }
    const serverClosed = (code: number) => {
      for (const members of site.topics.values()) members.delete(socket)
      const open = peer
      peer = null
      forgetOnceClosed()
      open?.closed(code)
    }
    const link: Link = {
      who,
      get isSick() {
        return blind.up || blind.down
      },
      cut: () => {
        timeline.note(null, `link ${conn} of ${who} is cut`)
        blind.up = true
        blind.down = true
        clock.after(dice.sockets.between(0, 2_000), () => clientClosed(ABNORMAL, ''))
        clock.after(dice.sockets.between(0, 6_000), () => serverClosed(ABNORMAL))
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
        down(() => {
          const wasBehind = buffered > DRAINED_BYTES
          buffered -= bytes.length
          if (wasBehind && buffered <= DRAINED_BYTES) peer?.drained()
          if (!clientOpen) return
          this.#tap.delivered(who, conn, bytes)
          client.message(bytes)
        })
        return true
      },
      bufferedAmount: () => (blind.down ? 0 : buffered),
      ping: () => down(() => up(() => peer?.alive())),
      cork: (task) => task(),
      subscribe: (topic) => void site.topics.set(topic, (site.topics.get(topic) ?? new Set()).add(socket)),
      unsubscribe: (topic) => void site.topics.get(topic)?.delete(socket),
      end: (code, reason) => {
        timeline.note(null, `link ${conn} of ${who} is ended by ${site.name}: ${code} ${reason}`)
        down(() => clientClosed(code, reason))
        serverClosed(code)
      },
      cut: () => {
        clock.after(dice.sockets.between(0, 2_000), () => clientClosed(ABNORMAL, ''))
        serverClosed(ABNORMAL)
      },
    }
    this.links.add(link)
    up(() => {
      if (!clientOpen) return
      site = door.site
      timeline.note(null, `link ${conn} of ${who} opens at ${site.name}`)
      peer = site.gateway.open(socket, { token: null, address: '127.0.0.1' })
      down(() => clientOpen && client.opened())
    })
    return {
      send: (bytes) => {
        if (!clientOpen) return
        this.#tap.sent(who, conn, bytes)
        up(() => peer?.binary(bytes))
        if (bytes[1] !== OP.join && dice.sockets.may(this.impatience)) {
          timeline.count('impatient repeats')
          this.#tap.sent(who, conn, bytes)
          up(() => peer?.binary(bytes))
        }
      },
      close: (code = 1000, reason = '') => {
        up(() => serverClosed(code))
        clock.after(0, () => clientClosed(code, reason))
      },
      buffered: 0,
    }
  }

  #line(open: () => boolean): (task: () => void) => void {
    const { clock, dice } = this.#ground
    const queue: (() => void)[] = []
    let due = 0
    return (task) => {
      if (!open()) return
      const takes = dice.sockets.may(this.slow) ? dice.sockets.between(20, 150) : dice.sockets.between(1, 8)
      due = Math.max(due, clock.now() + takes)
      queue.push(task)
      clock.after(due - clock.now(), () => {
        const next = queue.shift()
        if (open()) next?.()
      })
    }
  }
}
