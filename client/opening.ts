import type { Clock } from '../protocol/clock.ts'
import type { RoomId, ServerFrame, Welcome } from '../protocol/frames.ts'
import { closingOf } from './closing.ts'
import { MadangError } from './error.ts'
import { type Ending, endingOf, type Link, type LinkListener, LOST, type Pass, type TransportName } from './link.ts'

/** A pass that takes longer (a guest's token over a dead network) is given up. */
const PASS_MS = 10_000
/** A transport that has no WELCOME after this gets company. */
const PATIENCE_MS = 1_500

/** As whom, and by which links, a server is entered. */
export interface Way {
  /** Who greets, found out anew for each opening. Rejects with MadangError: terminal, or `unavailable` where trying again may help. */
  findPass(signal: AbortSignal): Promise<Pass>
  /** Throws MadangError `forbidden` where the page may not. */
  openLink(name: TransportName, pass: Pass, on: LinkListener): Link
}

/** Hears `won` or one of the other two once, never within the call that makes the opening. */
export interface OpeningListener {
  /** This link is up, and the others are left. */
  won(name: TransportName, link: Link, welcome: Welcome): void
  /** There is no pass. */
  stranded(error: MadangError): void
  /** None came up. The endings in their order. */
  failed(endings: readonly Ending[]): void
  frame(link: Link, frame: ServerFrame, atHead: boolean): void
  adrift(link: Link, room: RoomId): void
  /** The link that won ended. */
  ended(link: Link, ending: Ending): void
}

/**
 * Finds a pass, then opens transports one beside another, the next where one fails or takes its time, until the first of them has
 * its WELCOME. Owns its links until one won; that one is its listener's, who is told what it brings.
 */
export class Opening {
  readonly #clock: Clock
  readonly #way: Way
  readonly #on: OpeningListener
  readonly #rest: TransportName[]
  readonly #links = new Set<Link>()
  readonly #endings: Ending[] = []
  #decided = false
  #cancel: () => void

  constructor(clock: Clock, way: Way, names: readonly TransportName[], on: OpeningListener) {
    this.#clock = clock
    this.#way = way
    this.#on = on
    this.#rest = [...names]
    const abort = new AbortController()
    const cancelLate = clock.after(PASS_MS, () =>
      this.#strand(new MadangError('unavailable', `there was no pass within ${PASS_MS / 1000} s`)),
    )
    this.#cancel = () => {
      cancelLate()
      abort.abort()
    }
    way.findPass(abort.signal).then(
      (pass) => {
        cancelLate()
        if (!this.#decided) this.#next(pass)
      },
      (error: unknown) =>
        this.#strand(error instanceof MadangError ? error : new MadangError('internal', String(error))),
    )
  }

  /** Leaves all that is being opened; the listener hears nothing of it. */
  cancel(): void {
    this.#decided = true
    this.#cancel()
    for (const link of this.#links) link.leave('it is not needed any more')
    this.#links.clear()
  }

  #strand(error: MadangError): void {
    if (this.#decided) return
    this.cancel()
    this.#on.stranded(error)
  }

  #next(pass: Pass): void {
    this.#cancel()
    const name = this.#rest.shift()
    if (name === undefined) {
      if (this.#links.size === 0) this.#fail()
      return
    }
    if (this.#rest.length > 0) this.#cancel = this.#clock.after(PATIENCE_MS, () => this.#next(pass))
    let link: Link | null = null
    try {
      link = this.#way.openLink(name, pass, {
        welcome: (welcome) => {
          if (link && !this.#decided) this.#won(name, link, welcome)
        },
        frame: (frame, atHead) => {
          if (link) this.#on.frame(link, frame, atHead)
        },
        adrift: (room) => {
          if (link) this.#on.adrift(link, room)
        },
        ended: (ending) => {
          if (link && this.#links.delete(link)) this.#lost(ending, pass)
          else if (link) this.#on.ended(link, ending)
        },
      })
      this.#links.add(link)
    } catch (error) {
      const barred = error instanceof MadangError ? error : new MadangError('forbidden', String(error))
      this.#lost(endingOf(LOST, barred.message, { error: barred }), pass)
    }
  }

  #won(name: TransportName, link: Link, welcome: Welcome): void {
    this.#links.delete(link)
    this.cancel()
    this.#on.won(name, link, welcome)
  }

  #lost(ending: Ending, pass: Pass): void {
    if (this.#decided) return
    this.#endings.push(ending)
    // Another transport would be told the same.
    if (closingOf(ending) !== null) this.#fail()
    else this.#next(pass)
  }

  #fail(): void {
    this.cancel()
    this.#on.failed(this.#endings)
  }
}
