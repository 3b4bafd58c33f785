import type { Network } from '../environment.ts'
import { asMadangError } from './failure.ts'
import { type Line, refusalOf } from './line.ts'
import type { Connectivity } from './rtc.ts'
import type { Direction } from './signals.ts'

/** A path that broke off often comes back by itself. */
const PATIENCE_MS = 2_000
/** How long a restart may take. */
const RESTART_MS = 8_000
/** Restarts in a row that bring nothing, until the peer counts as lost. */
const MOST_RESTARTS = 3

interface Path {
  state: Connectivity | 'new'
  restarts: number
  restarting: boolean
  cancel: () => void
}

/** The two paths to the media node: mends them by ICE restarts, and says when that does not help. */
export class Paths {
  readonly #line: Line
  readonly #network: Network
  readonly #on: { changed(): void; lost(): void }
  readonly #paths: Readonly<Record<Direction, Path>>
  readonly #unwatch: () => void
  #wasOnline: boolean

  constructor(line: Line, network: Network, on: { changed(): void; lost(): void }) {
    this.#line = line
    this.#network = network
    this.#on = on
    const path = (): Path => ({ state: 'new', restarts: 0, restarting: false, cancel: () => {} })
    this.#paths = { send: path(), receive: path() }
    this.#wasOnline = network.online()
    this.#unwatch = network.watch(() => this.#look())
  }

  /** Whether nothing is known to be broken for longer than a moment. */
  get whole(): boolean {
    return Object.values(this.#paths).every(({ restarts }) => restarts === 0)
  }

  changed(direction: Direction, state: Connectivity): void {
    const path = this.#paths[direction]
    path.state = state
    if (state === 'connected') {
      path.cancel()
      path.restarts = 0
      this.#on.changed()
    } else if (state === 'failed') {
      this.#restart(direction)
    } else if (state === 'disconnected') {
      this.#later(direction, PATIENCE_MS)
    }
  }

  close(): void {
    this.#unwatch()
    for (const path of Object.values(this.#paths)) path.cancel()
  }

  /** The device's network came back, or the page is seen again. */
  #look(): void {
    const online = this.#network.online()
    const isBack = online && !this.#wasOnline
    this.#wasOnline = online
    if (!online) return
    for (const direction of ['send', 'receive'] as const) {
      const { state } = this.#paths[direction]
      if (isBack) this.#paths[direction].restarts = 0
      if (state === 'disconnected' || state === 'failed' || (isBack && state !== 'new')) this.#restart(direction)
    }
  }

  #later(direction: Direction, ms: number): void {
    const path = this.#paths[direction]
    path.cancel()
    path.cancel = this.#line.clock.after(ms, () => this.#restart(direction))
  }

  #restart(direction: Direction): void {
    const path = this.#paths[direction]
    const transport = this.#line.rtc.ids[direction]
    if (transport === null || path.restarting || !this.#line.live) return
    path.cancel()
    // Without a network there is nothing to restart over: its return is noticed.
    if (!this.#network.online()) return
    if (path.restarts >= MOST_RESTARTS) {
      this.#on.lost()
      return
    }
    path.restarts++
    path.restarting = true
    this.#on.changed()
    void this.#ask(direction, transport).finally(() => {
      path.restarting = false
    })
  }

  async #ask(direction: Direction, transport: string): Promise<void> {
    const { signals, rtc } = this.#line
    try {
      const iceParameters = await signals.restart(transport)
      if (!this.#line.live) return
      await rtc.restart(direction, iceParameters)
    } catch (error) {
      if (this.#line.live && refusalOf(asMadangError(error)) === 'doubt') this.#line.doubt()
    }
    if (!this.#line.live) return
    // A path that was whole all the time says nothing more.
    if (this.#paths[direction].state === 'connected') this.changed(direction, 'connected')
    else this.#later(direction, RESTART_MS)
  }
}
