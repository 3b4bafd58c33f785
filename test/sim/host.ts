import type { Clock } from '../../protocol/clock.ts'
import type { Ground } from './ground.ts'

/** What waits for a paused process: what it had put off itself goes first, then its timers and what arrived, in either order. */
interface Waiting {
  readonly kind: 'put off' | 'timer' | 'arrival'
  readonly task: () => void
}

/**
 * One process: an engine, a gateway or a media node. It may be paused in the middle of whatever it does, as by SIGSTOP: then
 * nothing in it runs, what it sends from there on leaves when it goes on, and its timers and messages come late, all at once.
 * Once it is dead nothing of it runs or leaves any more.
 */
export class Host {
  readonly name: string
  /** Where it runs: what cuts links and skews clocks hits places. */
  readonly place: Place
  readonly clock: Clock
  isDead = false
  readonly #ground: Ground
  #isPaused = false
  #waiting: Waiting[] = []
  #held: (() => void)[] = []

  constructor(name: string, place: Place, ground: Ground) {
    this.name = name
    this.place = place
    this.#ground = ground
    const { clock } = ground
    this.clock = {
      now: () => clock.now() + place.skew,
      elapsed: () => clock.elapsed(),
      after: (ms, task) => {
        let isCancelled = false
        const cancel = clock.after(ms, () => this.#run({ kind: 'timer', task: () => !isCancelled && task() }))
        return () => {
          isCancelled = true
          cancel()
        }
      },
      soon: (task) => clock.soon(() => this.#run({ kind: 'put off', task })),
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Neither dead nor paused. */
  get isUp(): boolean {
    return !this.isDead && !this.#isPaused
  }

  /** Something arrives: it is taken in at once, or once the process goes on. */
  arrive(task: () => void): void {
    this.#run({ kind: 'arrival', task })
  }

  /** Something leaves: at once, or once the process goes on. */
  leave(task: () => void): void {
    if (this.isDead) return
    if (this.#isPaused) this.#held.push(task)
    else task()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused || this.isDead) return
    this.#isPaused = false
    const waiting = this.#waiting.splice(0)
    const of = (kind: Waiting['kind']) => waiting.filter((one) => one.kind === kind)
    const [first, then] = this.#ground.dice.hosts.shuffle(['timer', 'arrival'] as const)
    for (const task of this.#held.splice(0)) task()
    for (const one of [...of('put off'), ...of(first ?? 'timer'), ...of(then ?? 'arrival')])
      this.#ground.clock.soon(() => this.#run(one))
  }

  die(): void {
    this.isDead = true
    this.#waiting = []
    this.#held = []
  }

  #run(one: Waiting): void {
    if (this.isDead) return
    if (this.#isPaused) this.#waiting.push(one)
    else one.task()
  }
}

/** A machine on which one process runs after the other. */
export interface Place {
  readonly name: string
  /** What its clock is ahead of the world's, ms. */
  skew: number
}
