import type { WireTap } from './checks/wire.ts'
import type { Ground } from './ground.ts'
import type { Host } from './host.ts'
import type { Door } from './site.ts'

/** One connection between a client and a gateway. A side that is blind hears nothing any more, and does not know it. */
export interface Link {
  readonly who: string
  /** The gateway that holds its other end; null before it has got there. */
  readonly server: Host | null
  /** Whether something is lost on it that an end that is still open may wait for. */
  readonly isSick: boolean
  cut(): void
  /** Its gateway is dead; the client hears of it, or hears nothing any more. */
  orphan(isHeard: boolean): void
  /** What goes up or down is lost from now on. */
  halve(direction: 'up' | 'down' | 'both'): void
}

/** What lies between clients and gateways: its links, and how bad it is. */
export class SimNetwork {
  /** Probability that a frame takes up to 150 ms. */
  slow = 0
  /** Probability that what a client sends comes twice, as from an impatient program or proxy; JOINs are the SDK's own. */
  impatience = 0
  readonly links = new Set<Link>()
  readonly ground: Ground
  readonly doors: readonly Door[]
  /** Told of all that leaves a client or arrives at one. */
  readonly tap: WireTap
  #numbers = 0

  constructor(ground: Ground, doors: readonly Door[], tap: WireTap) {
    this.ground = ground
    this.doors = doors
    this.tap = tap
  }

  /** A number for a new link, never used before. */
  number(): number {
    return ++this.#numbers
  }

  isImpatient(): boolean {
    if (!this.ground.dice.sockets.may(this.impatience)) return false
    this.ground.timeline.count('impatient repeats')
    return true
  }

  /** One direction of a link: it keeps its order, takes its time, and loses what is under way once it is not open any more. */
  line(open: () => boolean): (task: () => void) => void {
    const { clock, dice } = this.ground
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
