import type { Clock } from '../protocol/clock.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { RoomId, ServerFrame, Welcome } from '../protocol/frames.ts'
import { MadangError } from './error.ts'
import { type Ending, type Link, type LinkListener, LOST, type TransportName } from './link.ts'

/** A transport that has no WELCOME after this gets company. */
const PATIENCE_MS = 1_500

export interface OpeningListener {
  /** Once, or `failed`: this link is up, and the others are left. */
  won(name: TransportName, link: Link, welcome: Welcome): void
  /** None came up. The endings in their order. */
  failed(endings: readonly Ending[]): void
  frame(link: Link, frame: ServerFrame, atHead: boolean): void
  adrift(link: Link, room: RoomId): void
  /** The link that won ended. */
  ended(link: Link, ending: Ending): void
}

/** Opens transports one beside another, the next where one fails or takes its time, until the first of them has its WELCOME. */
export class Opening {
  readonly #clock: Clock
  readonly #open: (name: TransportName, on: LinkListener) => Link
  readonly #on: OpeningListener
  readonly #rest: TransportName[]
  readonly #links = new Set<Link>()
  readonly #endings: Ending[] = []
  #decided = false
  #cancel: () => void = () => {}

  constructor(
    clock: Clock,
    names: readonly TransportName[],
    open: (name: TransportName, on: LinkListener) => Link,
    on: OpeningListener,
  ) {
    this.#clock = clock
    this.#open = open
    this.#on = on
    this.#rest = [...names]
    this.#next()
  }

  /** Leaves all that is being opened; the listener hears nothing of it. */
  cancel(): void {
    this.#decided = true
    this.#cancel()
    for (const link of this.#links) link.leave('it is not needed any more')
    this.#links.clear()
  }

  #next(): void {
    this.#cancel()
    const name = this.#rest.shift()
    if (name === undefined) {
      if (this.#links.size === 0) this.#fail()
      return
    }
    if (this.#rest.length > 0) this.#cancel = this.#clock.after(PATIENCE_MS, () => this.#next())
    let link: Link | null = null
    const mine = (): Link | null => (this.#decided ? null : link)
    try {
      link = this.#open(name, {
        welcome: (welcome) => {
          const winner = mine()
          if (winner) this.#won(name, winner, welcome)
        },
        frame: (frame, atHead) => {
          if (link) this.#on.frame(link, frame, atHead)
        },
        adrift: (room) => {
          if (link) this.#on.adrift(link, room)
        },
        ended: (ending) => {
          if (link && this.#links.delete(link)) this.#lost(ending)
          else if (link) this.#on.ended(link, ending)
        },
      })
      this.#links.add(link)
    } catch (error) {
      const barred = error instanceof MadangError ? error : new MadangError('forbidden', String(error))
      const reason = barred.message
      this.#lost({ code: LOST, reason, bye: null, error: barred, welcomed: false, unfit: false, silent: false })
    }
  }

  #won(name: TransportName, link: Link, welcome: Welcome): void {
    this.#links.delete(link)
    this.cancel()
    this.#on.won(name, link, welcome)
  }

  #lost(ending: Ending): void {
    if (this.#decided) return
    this.#endings.push(ending)
    if (isDecisive(ending)) this.#fail()
    else this.#next()
  }

  #fail(): void {
    this.cancel()
    this.#on.failed(this.#endings)
  }
}

/** Whether another transport would be told the same. */
const isDecisive = ({ code, bye, error }: Ending): boolean =>
  code === CLOSE.unauthorized ||
  code === CLOSE.takenOver ||
  code === CLOSE.malformed ||
  code === CLOSE.tooLarge ||
  code === CLOSE.textMessage ||
  (bye !== null && !bye.resume) ||
  error?.code === 'bad_frame'
