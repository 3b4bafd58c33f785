import type { Bus } from '../../bus/bus.ts'
import type { Message } from '../../bus/messages.ts'
import type { Ground } from './ground.ts'
import type { Host } from './host.ts'
import type { Links } from './links.ts'

type Handler = (message: Message) => void

interface Subscription {
  readonly by: Host
  readonly handler: Handler
  active: boolean
}

/** How bad the bus is, as probabilities for one message. */
export interface BusFaults {
  loss: number
  double: number
  /** Of taking up to a third of a second instead of a few ms. */
  delay: number
}

/**
 * A bus that keeps what bus.ts promises and no more: messages of one publisher to one subscriber keep their order, any may
 * take long or be lost, and all do where a link is cut. It also doubles some, and the double comes whenever it likes.
 */
export class SimBus {
  faults: BusFaults = { loss: 0, double: 0, delay: 0 }
  /** Hears every message as it leaves its publisher, before anything happens to it. */
  onPublish: (subject: string, message: Message, host: Host) => void = () => {}
  readonly #ground: Ground
  readonly #links: Links
  readonly #subscriptions = new Map<string, Set<Subscription>>()
  readonly #channels = new Map<string, { due: number; queue: (() => void)[] }>()

  constructor(ground: Ground, links: Links) {
    this.#ground = ground
    this.#links = links
  }

  /** The bus as one host sees it. */
  of(host: Host): Bus {
    return {
      publish: (subject, message) => host.leave(() => this.#publish(host, subject, message)),
      subscribe: (subject, handler) => this.#subscribe(host, subject, handler),
      close: async () => {},
    }
  }

  /** Messages under way. */
  get size(): number {
    let size = 0
    for (const { queue } of this.#channels.values()) size += queue.length
    return size
  }

  #subscribe(by: Host, subject: string, handler: Handler): () => void {
    const subscription = { by, handler, active: true }
    const all = this.#subscriptions.get(subject) ?? new Set()
    this.#subscriptions.set(subject, all.add(subscription))
    return () => {
      subscription.active = false
      all.delete(subscription)
    }
  }

  #publish(host: Host, subject: string, message: Message): void {
    this.onPublish(subject, message, host)
    const { dice, clock, timeline } = this.#ground
    for (const subscription of this.#subscriptions.get(subject) ?? []) {
      const { by, handler } = subscription
      const deliver = () =>
        by.arrive(() => {
          if (subscription.active) handler(message)
        })
      if (by.isDead) continue
      const [from, to] = [host.place.name, by.place.name]
      const go = () => this.#inOrder(`${host.name}>${by.name}`, this.#delay(), deliver)
      if (!this.#links.reaches(from, to)) {
        timeline.count(this.#links.keep(from, to, go) ? 'messages late by a cut' : 'messages cut off')
        continue
      }
      if (dice.bus.may(this.faults.loss)) {
        timeline.count(`${sortOf(message)} lost`)
        if (!isBeat(message))
          timeline.note(roomOf(message), `bus: lost ${describe(message)} of ${host.name} to ${by.name}`)
        continue
      }
      if (dice.bus.may(this.faults.double)) {
        timeline.count(`${sortOf(message)} doubled`)
        if (!isBeat(message))
          timeline.note(roomOf(message), `bus: doubles ${describe(message)} of ${host.name} to ${by.name}`)
        clock.after(dice.bus.between(1, 600), deliver)
      }
      go()
    }
  }

  #delay(): number {
    const { bus } = this.#ground.dice
    return bus.may(this.faults.delay) ? bus.between(20, 350) : bus.between(0, 3)
  }

  #inOrder(name: string, delay: number, deliver: () => void): void {
    const { clock } = this.#ground
    const channel = this.#channels.get(name) ?? { due: 0, queue: [] }
    this.#channels.set(name, channel)
    channel.due = Math.max(channel.due, clock.now() + delay)
    channel.queue.push(deliver)
    clock.after(channel.due - clock.now(), () => channel.queue.shift()?.())
  }
}

const roomOf = (message: Message): string | null => {
  if (message.kind === 'envelope') {
    const [item] = message.items
    return item !== undefined && 'room' in item ? item.room : null
  }
  return 'room' in message ? message.room : null
}

/** Whether it says no more than that somebody is there, or that all is as it was: said again soon. Pure. */
export const isBeat = (message: Message): boolean => {
  if (message.kind === 'envelope') return message.items.length === 0
  if (message.kind === 'media-lease') return message.policy === null
  return message.kind.endsWith('-beat') || ['seats', 'media-ack', 'media-orphan'].includes(message.kind)
}

const sortOf = (message: Message): string => {
  if (isBeat(message)) return 'beats'
  if (message.kind === 'envelope') return 'envelopes'
  return message.kind.startsWith('media-') ? 'words of media' : 'requests'
}

/** A message in a few words. Pure. */
export const describe = (message: Message): string => {
  if (message.kind === 'envelope') {
    const items = message.items.map((item) => {
      if (item.kind === 'answer') return `answer ${item.id}${item.attached ? ` at ${item.attached.seq}` : ''}`
      if (item.kind === 'output') return `output ${item.head}`
      return item.kind === 'close' ? `close ${item.conn} (${item.code})` : item.kind
    })
    return `envelope ${message.number} [${items.join(', ')}]`
  }
  if (message.kind === 'command') return `command ${message.id} of ${message.player.id} on ${message.conn}`
  if (message.kind === 'attach')
    return `attach ${message.id} [${message.members.map((m) => `${m.player.id} on ${m.conn} from ${m.since}`).join(', ')}]`
  if (message.kind === 'detach') return `detach ${message.id} [${message.conns.join(', ')}]`
  return 'id' in message ? `${message.kind} ${message.id}` : message.kind
}
