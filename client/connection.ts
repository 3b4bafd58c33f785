import { CLOSE } from '../protocol/errors.ts'
import type { ServerFrame, Welcome } from '../protocol/frames.ts'
import { backoff } from './backoff.ts'
import type { Environment } from './environment.ts'
import { MadangError } from './error.ts'
import { type Ending, Link } from './link.ts'
import type { ServerTime } from './server-time.ts'
import { type Readable, Store } from './store.ts'

const CAP_MS = 15_000
/** A connection that held this long clears the count of failures. */
const STABLE_MS = 5_000
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
  frame(frame: ServerFrame): void
  /** The connection is gone; another `welcome` or `closed` follows. */
  lost(): void
  closed(error: MadangError): void
}

/** The frame that greets, made anew for each link. Rejects with MadangError: terminal, or `unavailable` where trying again may help. */
export type Greeting = () => Promise<Uint8Array>

/** Keeps a link to the server for as long as it makes sense: waits ever longer between attempts, and gives up where the server says so. */
export class Connection {
  readonly #environment: Environment
  readonly #url: string
  readonly #greeting: Greeting
  readonly #time: ServerTime
  readonly #on: ConnectionListener
  readonly #state = new Store<SessionState>({ status: 'connecting' })
  readonly #unwatch: () => void
  #link: Link | null = null
  /** The attempt that runs; what belongs to an earlier one is ignored. */
  #current = 0
  #failures = 0
  #policyCloses = 0
  /** Ends the wait for the next attempt, for a greeting, or for a stable connection. */
  #cancel: () => void = () => {}
  /** Whether a timer leads to the next attempt, and a network event may cut it short: not where the server asked for the wait. */
  #waiting: 'no' | 'for the network' | 'as told' = 'no'

  constructor(environment: Environment, url: string, greeting: Greeting, time: ServerTime, on: ConnectionListener) {
    this.#environment = environment
    this.#url = url
    this.#greeting = greeting
    this.#time = time
    this.#on = on
    this.#unwatch = environment.network.watch(() => this.#look())
  }

  get state(): Readable<SessionState> {
    return this.#state
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
    this.#waiting = 'no'
    this.#cancel = this.#environment.clock.after(GREETING_MS, () => this.#again(0))
    this.#greeting().then(
      (hello) => {
        if (attempt !== this.#current) return
        this.#cancel()
        this.#tryOpen(hello)
      },
      (error: unknown) => {
        if (attempt === this.#current) this.#notGreeted(error)
      },
    )
  }

  close(why: ClosedWhy, error: MadangError): void {
    if (this.#state.current.status === 'closed') return
    this.#current++
    this.#cancel()
    this.#unwatch()
    const link = this.#link
    this.#link = null
    link?.leave(error.message)
    this.#state.set({ status: 'closed', why, error })
    this.#on.closed(error)
  }

  #tryOpen(hello: Uint8Array): void {
    try {
      this.#open(hello)
    } catch (error) {
      this.close('refused', new MadangError('forbidden', `a WebSocket to ${this.#url} is not allowed here: ${error}`))
    }
  }

  #open(hello: Uint8Array): void {
    this.#link = new Link(this.#environment, this.#url, hello, this.#time, {
      welcome: (welcome) => {
        this.#cancel()
        this.#failures = Math.min(this.#failures, FAILURES_AFTER_WELCOME)
        this.#cancel = this.#environment.clock.after(STABLE_MS, () => {
          this.#failures = 0
          this.#policyCloses = 0
        })
        this.#on.welcome(welcome)
        this.#say('online')
      },
      frame: (frame) => this.#on.frame(frame),
      ended: (ending) => {
        if (this.#link === null) return
        this.#link = null
        this.#ended(ending)
      },
    })
  }

  #notGreeted(error: unknown): void {
    const reason = error instanceof MadangError ? error : new MadangError('internal', String(error))
    if (reason.code === 'unavailable' || reason.code === 'rate_limited') this.#again(reason.retryAfter)
    else this.close(reason.code === 'unauthorized' ? 'unauthorized' : 'refused', reason)
  }

  #ended(ending: Ending): void {
    const { code, bye } = ending
    // After WELCOME, an ERR without a ref is about a CAST or INPUT.
    const error = ending.welcomed ? null : ending.error
    if (ending.welcomed) this.#on.lost()
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
    } else {
      this.#again(bye?.retryAfter ?? error?.retryAfter ?? 0)
    }
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

  /** The device's network changed: see at once what that means. */
  #look(): void {
    this.#link?.probe()
    if (this.#waiting !== 'for the network') return
    this.#cancel()
    this.start()
  }
}
