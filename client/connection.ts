import { CLOSE } from '../protocol/errors.ts'
import type { RoomId, ServerFrame, Welcome } from '../protocol/frames.ts'
import { Choice } from './choice.ts'
import { type ClosedWhy, type Closing, closingOf } from './closing.ts'
import type { Environment } from './environment.ts'
import { MadangError } from './error.ts'
import { type Ending, type Link, LOST, type TransportName } from './link.ts'
import { Opening, type Way } from './opening.ts'
import { Retry } from './retry.ts'
import { type Readable, Store } from './store.ts'

/** A link that was left or lost may live on at the server for so long, and take the place of the one that came after it. */
const OWN_MS = 30_000
/** How often a server may close with 1008 (policy) before the session gives up. */
const POLICY_CLOSES = 3

/**
 * Where a session stands. `reconnecting`: the connection was lost and is tried again, `offline`: likewise, and the device says
 * that it has no network. `closed` is for good.
 */
export type SessionState =
  | { readonly status: 'connecting' | 'online' | 'reconnecting' | 'offline' }
  | ({ readonly status: 'closed' } & Closing)

export interface ConnectionListener {
  welcome(welcome: Welcome): void
  /** `atHead`: see `LinkListener`. */
  frame(frame: ServerFrame, atHead: boolean): void
  /** What comes from this room broke off: JOIN again. */
  adrift(room: RoomId): void
  /** The connection is gone; another `welcome` or `closed` follows. */
  lost(): void
  closed(error: MadangError): void
}

/**
 * Keeps a link to the server for as long as it makes sense: over the transport that works, waiting ever longer between attempts, and
 * gives up where the server says so. Changing the transport is a reconnect whose new link is up before the old one is left.
 *
 * Owns the link that runs and the one opening there may be: for a link where there is none, else for a better one beside it.
 * Never both an opening for the first link and a wait for the next attempt. Its session calls in; `Choice` says what to open,
 * `Retry` when. Listeners may close it from within any call.
 */
export class Connection {
  readonly #environment: Environment
  readonly #way: Way
  readonly #on: ConnectionListener
  readonly #state = new Store<SessionState>({ status: 'connecting' })
  readonly #transport = new Store<TransportName | null>(null)
  readonly #retry: Retry
  readonly #choice: Choice
  readonly #unwatch: () => void
  #link: Link | null = null
  /** When the link before this one ended in a way that the server may not have noticed. */
  #ghostSince = Number.NEGATIVE_INFINITY
  #opening: Opening | null = null
  #wasOnline: boolean
  #policyCloses = 0

  constructor(environment: Environment, transport: 'auto' | TransportName, way: Way, on: ConnectionListener) {
    const { clock, chance, network } = environment
    this.#environment = environment
    this.#way = way
    this.#on = on
    this.#retry = new Retry(clock, chance, {
      attempt: () => this.start(),
      stable: () => {
        this.#policyCloses = 0
      },
    })
    this.#choice = new Choice(clock, chance, transport, {
      open: () => {
        if (!this.#retry.isTold) this.start()
      },
      openBeside: (names) => this.#open(names),
      stay: () => this.#stopOpening(),
    })
    this.#wasOnline = network.online()
    this.#unwatch = network.watch(() => this.#look())
  }

  get state(): Readable<SessionState> {
    return this.#state
  }

  /** What it runs over; null while there is no connection. */
  get transport(): Readable<TransportName | null> {
    return this.#transport
  }

  get open(): boolean {
    return this.#link?.open ?? false
  }

  get buffered(): number {
    return this.#link?.buffered ?? 0
  }

  /** Sends if the connection is open; says whether it did. */
  send(bytes: Uint8Array): boolean {
    if (!this.#link?.open) return false
    this.#link.send(bytes)
    return true
  }

  /** Attempts now. */
  start(): void {
    this.#retry.stop()
    this.#open(this.#choice.order)
  }

  /**
   * Runs over this transport from now on, or finds the best by itself. Resolves once it does; rejects with MadangError where it could not
   * be opened, and everything stays as it was.
   */
  use(choice: 'auto' | TransportName): Promise<void> {
    const { current } = this.#state
    if (current.status === 'closed') return Promise.reject(current.error)
    return this.#choice.use(choice)
  }

  close(why: ClosedWhy, error: MadangError): void {
    if (this.#state.current.status === 'closed') return
    this.#retry.stop()
    this.#unwatch()
    this.#stopOpening()
    const link = this.#link
    this.#link = null
    link?.leave(error.message)
    this.#choice.close(error.message)
    // First: whoever hears of the rest can open nothing any more.
    this.#state.set({ status: 'closed', why, error })
    this.#transport.set(null)
    this.#on.closed(error)
  }

  get #now(): number {
    return this.#environment.clock.now()
  }

  #open(names: readonly TransportName[]): void {
    this.#stopOpening()
    this.#opening = new Opening(this.#environment.clock, this.#way, names, {
      won: (name, link, welcome) => this.#up(name, link, welcome),
      stranded: (error) => {
        if (this.#link) this.#stay(error.message)
        else this.#stranded(error)
      },
      failed: (endings) => {
        const reasons = endings.map(({ reason }) => reason).join('; ')
        if (this.#link) this.#stay(`${names.join(' and ')} could not be opened: ${reasons || 'no answer'}`)
        else this.#notOpened(endings)
      },
      frame: (link, frame, atHead) => {
        if (link === this.#link) this.#on.frame(frame, atHead)
      },
      adrift: (link, room) => {
        if (link === this.#link) this.#on.adrift(room)
      },
      ended: (link, ending) => {
        if (link === this.#link) this.#ended(ending)
      },
    })
  }

  #stopOpening(): void {
    this.#opening?.cancel()
    this.#opening = null
  }

  /** A link is up: the first one, or a better one than the one that runs, which is left. */
  #up(name: TransportName, link: Link, welcome: Welcome): void {
    const old = this.#link
    this.#opening = null
    this.#link = null
    if (old) {
      this.#ghostSince = this.#now
      this.#on.lost()
      old.leave('the session goes on over another transport')
    }
    this.#link = link
    this.#choice.up(name)
    this.#retry.welcomed()
    this.#on.welcome(welcome)
    this.#transport.set(name)
    // Who was told may have closed the session.
    if (this.#link === link) this.#say('online')
  }

  #stranded(error: MadangError): void {
    this.#opening = null
    if (error.code === 'unavailable' || error.code === 'rate_limited') this.#again(error.retryAfter)
    else this.close(error.code === 'unauthorized' ? 'unauthorized' : 'refused', error)
  }

  #notOpened(endings: readonly Ending[]): void {
    this.#opening = null
    this.#choice.unreachable()
    if (endings.some((ending) => this.#closedBy(ending))) return
    const [first] = endings
    if (endings.length === 1 && first?.error?.code === 'forbidden') this.close('refused', first.error)
    else this.#again(Math.max(0, ...endings.map(({ bye, error }) => bye?.retryAfter ?? error?.retryAfter ?? 0)))
  }

  #ended(ending: Ending): void {
    this.#link = null
    this.#stopOpening()
    const atOnce = this.#choice.fell(ending, this.#environment.network.online())
    this.#transport.set(null)
    this.#on.lost()
    // Once: whoever takes it again is another page.
    const isOwn = ending.code === CLOSE.takenOver && this.#now - this.#ghostSince < OWN_MS
    this.#ghostSince = ending.code === LOST && ending.bye === null ? this.#now : Number.NEGATIVE_INFINITY
    if (this.#state.current.status === 'closed' || (!isOwn && this.#closedBy(ending))) return
    if (atOnce) {
      this.#say('reconnecting')
      this.start()
    } else {
      this.#again(ending.bye?.retryAfter ?? 0)
    }
  }

  /** Closes where the server says that it makes no sense to come back. True where it is closed. */
  #closedBy(ending: Ending): boolean {
    const closing = closingOf(ending)
    if (closing) {
      this.close(closing.why, closing.error)
    } else if (ending.code === CLOSE.policy && ++this.#policyCloses >= POLICY_CLOSES) {
      this.close('refused', new MadangError('forbidden', ending.reason || 'the server refuses this connection (1008)'))
    }
    return this.#state.current.status === 'closed'
  }

  #say(status: 'online' | 'reconnecting' | 'offline'): void {
    if (this.#state.current.status !== status) this.#state.set({ status })
  }

  /** Attempts again, not before the `least` ms that the server asked for. */
  #again(least: number): void {
    this.#stopOpening()
    this.#retry.later(least)
    if (!this.#environment.network.online()) this.#say('offline')
    else if (this.#state.current.status !== 'connecting') this.#say('reconnecting')
  }

  /** What was opened beside the link did not come up: the link goes on. */
  #stay(reason: string): void {
    this.#opening = null
    this.#choice.stayed(reason)
  }

  /** The device's network changed: see at once what that means. */
  #look(): void {
    const online = this.#environment.network.online()
    const isBack = online && !this.#wasOnline
    this.#wasOnline = online
    this.#link?.probe()
    if (online) this.#choice.look(isBack)
    this.#retry.now()
  }
}
