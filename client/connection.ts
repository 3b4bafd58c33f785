import { CLOSE } from '../protocol/errors.ts'
import type { RoomId, ServerFrame, Welcome } from '../protocol/frames.ts'
import { backoff } from './backoff.ts'
import type { Environment } from './environment.ts'
import { MadangError } from './error.ts'
import { Ladder } from './ladder.ts'
import type { Ending, Link, LinkListener, Pass, TransportName } from './link.ts'
import { Opening } from './opening.ts'
import { Probes } from './probes.ts'
import { type Readable, Store } from './store.ts'

const CAP_MS = 15_000
/** A connection that held this long clears the count of failures. */
const STABLE_MS = 5_000
/** After a link that held this long, better ones are looked for soon again. */
const WORTHY_MS = 60_000
/** A server that let us in once more is back: the next wait is at most 1.9 s, also if it falls soon. */
const FAILURES_AFTER_WELCOME = 5
/** A greeting that takes longer (a guest's token over a dead network) is given up. */
const GREETING_MS = 10_000
/** How often a server may close with 1008 (policy) before the session gives up. */
const POLICY_CLOSES = 3

export type ClosedWhy = 'asked' | 'unauthorized' | 'taken over' | 'refused'

/**
 * Where a session stands. `reconnecting`: the connection was lost and is tried again, `offline`: likewise, and the device says
 * that it has no network. `closed` is for good: `why` is for programs, `error.message` for people.
 */
export type SessionState =
  | { readonly status: 'connecting' | 'online' | 'reconnecting' | 'offline' }
  | { readonly status: 'closed'; readonly why: ClosedWhy; readonly error: MadangError }

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

/** Who greets, found out anew for each attempt. Rejects with MadangError: terminal, or `unavailable` where trying again may help. */
export type Greeting = (signal: AbortSignal) => Promise<Pass>

/** Opens a link. Throws MadangError `forbidden` where the page may not. */
export type OpenLink = (name: TransportName, pass: Pass, on: LinkListener) => Link

/** A change of transport that was asked for. */
interface Use {
  readonly choice: 'auto' | TransportName
  resolve(): void
  reject(error: MadangError): void
}

/**
 * Keeps a link to the server for as long as it makes sense: over the transport that works, waiting ever longer between attempts, and
 * gives up where the server says so. Changing the transport is a reconnect whose new link is up before the old one is left.
 */
export class Connection {
  readonly #environment: Environment
  readonly #greeting: Greeting
  readonly #openLink: OpenLink
  readonly #on: ConnectionListener
  readonly #state = new Store<SessionState>({ status: 'connecting' })
  readonly #transport = new Store<TransportName | null>(null)
  readonly #unwatch: () => void
  readonly #probes: Probes
  #ladder: Ladder
  #link: Link | null = null
  #upSince = 0
  #wasOnline: boolean
  /** What opens links: for an attempt while there is none, else beside the running one. */
  #opening: Opening | null = null
  #use: Use | null = null
  /** The last time that something was opened beside a running link. */
  #turn = 0
  /** The attempt that runs; what belongs to an earlier one is ignored. */
  #current = 0
  #failures = 0
  #policyCloses = 0
  /** Ends the wait for the next attempt, for a greeting, or for a stable connection. */
  #cancel: () => void = () => {}
  /** Whether a timer leads to the next attempt, and a network event may cut it short: not where the server asked for the wait. */
  #waiting: 'no' | 'for the network' | 'as told' = 'no'

  constructor(
    environment: Environment,
    choice: 'auto' | TransportName,
    greeting: Greeting,
    openLink: OpenLink,
    on: ConnectionListener,
  ) {
    this.#environment = environment
    this.#ladder = new Ladder(choice)
    this.#greeting = greeting
    this.#openLink = openLink
    this.#on = on
    this.#wasOnline = environment.network.online()
    this.#probes = new Probes(environment.clock, environment.chance, () => this.#probe())
    this.#unwatch = environment.network.watch(() => this.#look())
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

  start(): void {
    const attempt = ++this.#current
    const abort = new AbortController()
    this.#waiting = 'no'
    const cancelLate = this.#environment.clock.after(GREETING_MS, () => this.#again(0))
    this.#cancel = () => {
      cancelLate()
      abort.abort()
    }
    this.#greeting(abort.signal).then(
      (pass) => {
        if (attempt !== this.#current) return
        cancelLate()
        this.#attempt(pass)
      },
      (error: unknown) => {
        if (attempt === this.#current) this.#notGreeted(error)
      },
    )
  }

  /**
   * Runs over this transport from now on, or finds the best by itself. Resolves once it does; rejects with MadangError where it could not
   * be opened, and everything stays as it was.
   */
  use(choice: 'auto' | TransportName): Promise<void> {
    const { current } = this.#state
    if (current.status === 'closed') return Promise.reject(current.error)
    this.#giveUpUse('another change of transport was asked for')
    if (this.#link === null) return this.#useFirst(choice)
    const ladder = new Ladder(choice)
    if (choice === 'auto' || choice === this.#transport.current) {
      this.#ladder = ladder
      if (this.#transport.current !== null) ladder.works(this.#transport.current)
      this.#probes.reset()
      this.#probeLater()
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#use = { choice, resolve, reject }
      this.#beside([choice])
    })
  }

  close(why: ClosedWhy, error: MadangError): void {
    if (this.#state.current.status === 'closed') return
    this.#current++
    this.#cancel()
    this.#probes.stop()
    this.#unwatch()
    this.#opening?.cancel()
    this.#opening = null
    const link = this.#link
    this.#link = null
    link?.leave(error.message)
    this.#transport.set(null)
    this.#state.set({ status: 'closed', why, error })
    this.#giveUpUse(error.message)
    this.#on.closed(error)
  }

  /** There is no link: the next attempt is made with this choice. */
  #useFirst(choice: 'auto' | TransportName): Promise<void> {
    this.#ladder = new Ladder(choice)
    return new Promise((resolve, reject) => {
      this.#use = { choice, resolve, reject }
      if (this.#waiting === 'as told') return
      this.#cancel()
      this.#opening?.cancel()
      this.start()
    })
  }

  #giveUpUse(reason: string): void {
    const use = this.#use
    this.#use = null
    use?.reject(new MadangError('unavailable', reason))
  }

  #attempt(pass: Pass): void {
    const names = this.#ladder.order(this.#environment.clock.now())
    this.#opening = this.#openAll(names, pass, (endings) => this.#notOpened(endings))
  }

  #openAll(names: readonly TransportName[], pass: Pass, failed: (endings: readonly Ending[]) => void): Opening {
    const { clock } = this.#environment
    return new Opening(clock, names, (name, on) => this.#openLink(name, pass, on), {
      won: (name, link, welcome) => this.#up(name, link, welcome),
      failed,
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

  /** A link is up: the first one, or a better one than the one that runs, which is left. */
  #up(name: TransportName, link: Link, welcome: Welcome): void {
    const { clock } = this.#environment
    const old = this.#link
    this.#opening = null
    this.#link = null
    if (old) this.#on.lost()
    old?.leave('the session goes on over another transport')
    this.#cancel()
    this.#link = link
    this.#upSince = clock.now()
    if (this.#use?.choice === name) this.#ladder = new Ladder(name)
    this.#ladder.works(name)
    this.#failures = Math.min(this.#failures, FAILURES_AFTER_WELCOME)
    this.#cancel = clock.after(STABLE_MS, () => {
      this.#failures = 0
      this.#policyCloses = 0
    })
    const use = this.#use
    this.#use = null
    this.#on.welcome(welcome)
    this.#transport.set(name)
    use?.resolve()
    // Who was told may have closed the session.
    if (this.#link === link) this.#say('online')
    if (this.#link === link) this.#probeLater()
  }

  #notGreeted(error: unknown): void {
    const reason = error instanceof MadangError ? error : new MadangError('internal', String(error))
    if (reason.code === 'unavailable' || reason.code === 'rate_limited') this.#again(reason.retryAfter)
    else this.close(reason.code === 'unauthorized' ? 'unauthorized' : 'refused', reason)
  }

  #notOpened(endings: readonly Ending[]): void {
    this.#opening = null
    this.#ladder.unreachable()
    let wait = 0
    for (const ending of endings) {
      if (this.#refused(ending)) return
      wait = Math.max(wait, ending.bye?.retryAfter ?? ending.error?.retryAfter ?? 0)
    }
    const barred = endings.find(({ error }) => error?.code === 'forbidden')?.error
    if (barred && endings.length === 1) this.close('refused', barred)
    else this.#again(wait)
  }

  #ended(ending: Ending): void {
    const { clock, network } = this.#environment
    const name = this.#transport.current
    this.#link = null
    this.#probes.stop()
    this.#opening?.cancel()
    this.#opening = null
    const now = clock.now()
    const lasted = now - this.#upSince
    if (lasted >= WORTHY_MS) this.#probes.reset()
    const atOnce = name !== null && network.online() && this.#ladder.fell(name, ending, lasted, now)
    this.#giveUpUse('the connection was lost meanwhile')
    this.#transport.set(null)
    this.#on.lost()
    if (this.#refused(ending)) return
    if (atOnce) {
      this.#cancel()
      this.#say('reconnecting')
      this.start()
    } else {
      this.#again(ending.bye?.retryAfter ?? 0)
    }
  }

  /** Closes where the server says that it makes no sense to come back. */
  #refused(ending: Ending): boolean {
    const { code, bye } = ending
    // After WELCOME, an ERR without a ref is about a CAST or INPUT.
    const error = ending.welcomed ? null : ending.error
    if (code === CLOSE.unauthorized) {
      this.close(
        'unauthorized',
        new MadangError('unauthorized', ending.error?.message ?? (ending.reason || 'the token was refused')),
      )
    } else if (code === CLOSE.takenOver) {
      this.close('taken over', new MadangError('conflict', 'the session was taken over by a newer connection'))
    } else if (code === CLOSE.malformed || code === CLOSE.tooLarge || code === CLOSE.textMessage) {
      const why = ending.reason === '' ? '' : `: ${ending.reason}`
      this.close(
        'refused',
        new MadangError('bad_frame', `the server could not read what this client sent (${code}${why})`),
      )
    } else if (code === CLOSE.policy && ++this.#policyCloses >= POLICY_CLOSES) {
      this.close('refused', new MadangError('forbidden', ending.reason || 'the server refuses this connection (1008)'))
    } else if (bye !== null && !bye.resume) {
      this.close('refused', new MadangError('unavailable', `the server ended the session: ${bye.reason}`))
    } else if (error?.code === 'bad_frame') {
      this.close('refused', error)
    }
    return this.#state.current.status === 'closed'
  }

  #say(status: 'online' | 'reconnecting' | 'offline'): void {
    if (this.#state.current.status !== status) this.#state.set({ status })
  }

  /** Attempts again after `least` ms and a part that grows with the failures in a row. */
  #again(least: number): void {
    const { clock, chance, network } = this.#environment
    this.#current++
    this.#waiting = least > 0 ? 'as told' : 'for the network'
    this.#cancel()
    this.#cancel = clock.after(least + backoff(this.#failures++, chance, CAP_MS), () => this.start())
    const first = this.#state.current.status === 'connecting'
    if (!network.online()) this.#say('offline')
    else if (!first) this.#say('reconnecting')
  }

  #probeLater(): void {
    const name = this.#transport.current
    const better = name === null ? [] : this.#ladder.better(name, this.#environment.clock.now())
    if (better.length > 0) this.#probes.later()
    else this.#probes.stop()
  }

  /** Looks whether a better transport works, while this one goes on. */
  #probe(): void {
    const name = this.#transport.current
    if (this.#link === null || name === null || this.#opening !== null) return
    const better = this.#ladder.better(name, this.#environment.clock.now())
    if (better.length > 0) this.#beside(better)
  }

  /** Opens others beside the running link, which goes on where they fail. */
  #beside(names: readonly TransportName[]): void {
    this.#opening?.cancel()
    this.#opening = null
    const running = this.#link
    const turn = ++this.#turn
    const failed = (reason: string): void => {
      if (this.#link !== running || turn !== this.#turn) return
      this.#opening = null
      this.#giveUpUse(reason)
      this.#probeLater()
    }
    this.#greeting(new AbortController().signal).then(
      (pass) => {
        if (this.#link !== running || turn !== this.#turn) return
        const reasons = (endings: readonly Ending[]): string => endings.map(({ reason }) => reason).join('; ')
        this.#opening = this.#openAll(names, pass, (endings) =>
          failed(`${names.join(' and ')} could not be opened: ${reasons(endings) || 'no answer'}`),
        )
      },
      (error: unknown) => failed(String(error)),
    )
  }

  /** The device's network changed: see at once what that means. */
  #look(): void {
    const online = this.#environment.network.online()
    if (online && !this.#wasOnline) {
      this.#ladder.moved()
      this.#probes.reset()
    }
    this.#wasOnline = online
    this.#link?.probe()
    if (this.#link && online) this.#probes.now()
    if (this.#waiting !== 'for the network') return
    this.#cancel()
    this.start()
  }
}
