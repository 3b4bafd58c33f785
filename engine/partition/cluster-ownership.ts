import type { EngineId } from '../../bus/messages.ts'
import { PARTITIONS } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import { type Ledger, type LedgerEntry, LedgerSilent } from '../ledger/ledger.ts'
import type { Report } from '../room/writer.ts'
import { Beats } from './beats.ts'
import { Engines } from './engines.ts'
import { Moves } from './moves.ts'
import type { Owner, Ownership } from './ownership.ts'
import { Placement } from './placement.ts'

export interface ClusterOwnershipOptions {
  readonly engine: EngineId
  readonly ledger: Ledger
  readonly clock: Clock
  readonly report: Report
}

/** Partitions that are written or released at a time; all at once by an engine that leaves. */
const MOVED_AT_ONCE = 64
/** An engine that leaves gives up handing over after this long: others take over as from one that is gone. */
const LEAVES_WITHIN_MS = 8_000

/** Who owns a partition, by its key: `owner`, or `owner<other` where it was not handed over but taken from one that is gone. */
interface Held {
  readonly owner: EngineId | ''
  readonly isTaken: boolean
  readonly revision: number
  /** When it was heard. */
  readonly mark: number
}

/**
 * What this engine does with a partition whose key names it. `doubtful`: taken from an engine that may not know it yet;
 * `owned`; `released`: to be written away.
 */
type Hold = 'doubtful' | 'owned' | 'released'

/**
 * Returns this engine's part in a cluster that agrees through `ledger`, as docs/decisions/cluster.md says. Who owns what follows from the
 * watch alone; writes are attempts, fenced by the revision that was seen. `engine` names one start of one process.
 */
export const clusterOwnership = (options: ClusterOwnershipOptions): Ownership => new ClusterOwnership(options)

class ClusterOwnership implements Ownership {
  readonly #options: ClusterOwnershipOptions
  readonly #beats: Beats
  readonly #engines: Engines
  readonly #moves: Moves
  readonly #placement = new Placement()
  #owner: Owner | null = null
  #endWatch: (() => void) | null = null
  readonly #held = new Map<number, Held>()
  readonly #holds = new Map<number, Hold>()
  /** Owned, and the owner is to be told so at the end of this turn of the loop: partition and epoch. */
  readonly #owned = new Map<number, number>()
  /** Partitions that are being released or written. */
  readonly #underway = new Set<number>()
  /** Those of them whose owner is still at work on them: it is not told that it owns one of them anew. */
  readonly #releasing = new Set<number>()
  /** Written, with what outcome ever, when this beat was the last: the watch has told of it once a later one comes back. */
  readonly #written = new Map<number, number>()
  #waiting: (() => void)[] = []
  #isDeciding = false
  #isOver = false
  /** Set while it leaves: ends that. */
  #left: (() => void) | null = null

  constructor(options: ClusterOwnershipOptions) {
    const { engine, ledger, clock, report } = options
    this.#options = options
    this.#beats = new Beats({
      clock,
      post: (beat) => ledger.post(`engine.${engine}`, this.#left ? `${beat} leaving` : `${beat}`),
    })
    this.#engines = new Engines(this.#beats)
    this.#moves = new Moves(report)
  }

  get isSure(): boolean {
    return !this.#isOver && this.#beats.isFresh
  }

  /** One that leaves is there as long as a partition is its. */
  get engines(): number {
    const there = new Set([this.#options.engine, ...this.#engines.staying])
    for (const { owner } of this.#held.values()) if (!this.#engines.isDead(owner)) there.add(owner)
    return there.size
  }

  async start(owner: Owner): Promise<void> {
    this.#owner = owner
    const end = await this.#options.ledger.watch((entry) => this.#hear(entry))
    if (this.#isOver) return end()
    this.#endWatch = end
    this.#beats.start()
  }

  async sure(): Promise<void> {
    if (!this.isSure) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async leave(): Promise<void> {
    if (this.#isOver || this.#left) return
    const left = new Promise<void>((resolve) => {
      this.#left = resolve
    })
    const cancel = this.#options.clock.after(LEAVES_WITHIN_MS, () => this.#left?.())
    this.#beats.repeat()
    this.#decideSoon()
    await left
    cancel()
    this.abandon()
    this.#moves.tell()
  }

  abandon(): void {
    this.#isOver = true
    this.#beats.stop()
    this.#endWatch?.()
    this.#left?.()
  }

  #hear({ key, value, revision }: LedgerEntry): void {
    if (this.#isOver) return
    const dot = key.indexOf('.')
    const [kind, name] = [key.slice(0, dot), key.slice(dot + 1)]
    if (kind === 'engine') this.#hearBeat(name, value)
    else if (kind === 'partition') this.#hearHeld(Number(name), value ?? '', revision)
    this.#decideSoon()
  }

  #hearBeat(engine: EngineId, value: string | null): void {
    if (value === null) this.#engines.faded(engine)
    else if (engine === this.#options.engine) this.#hearOwn(Number.parseInt(value, 10))
    else this.#engines.heard(engine, value.endsWith('leaving'), this.#endWatch === null)
  }

  #hearOwn(beat: number): void {
    this.#beats.cameBack(beat)
    for (const [partition, after] of this.#written) if (beat > after) this.#written.delete(partition)
    for (const [partition, hold] of this.#holds) {
      const held = this.#held.get(partition)
      if (hold === 'doubtful' && held && this.#beats.hasPassed(held.mark)) this.#own(partition, held.revision)
    }
    if (!this.isSure) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #hearHeld(partition: number, value: string, revision: number): void {
    const before = this.#held.get(partition)
    const [owner = '', takenFrom] = value.split('<')
    const held: Held = { owner, isTaken: takenFrom !== undefined, revision, mark: this.#beats.mark() }
    this.#held.set(partition, held)
    this.#written.delete(partition)
    this.#giveUp(partition, owner)
    if (owner !== this.#options.engine) return
    // One that was counted dead may have beaten since, before it was written that this engine took over: it is sure, and does not know yet.
    // So may another one from which it was taken in its turn, if that was lately.
    const isSettled = before && (!before.isTaken || this.#beats.hasPassed(before.mark))
    if (!held.isTaken || (isSettled && this.#engines.isDead(before.owner))) this.#own(partition, revision)
    else this.#holds.set(partition, 'doubtful')
    if (takenFrom !== undefined) this.#moves.took(takenFrom)
  }

  #own(partition: number, epoch: number): void {
    this.#holds.set(partition, 'owned')
    this.#owned.set(partition, epoch)
  }

  /** The key names another owner than it did, or the same one anew. */
  #giveUp(partition: number, successor: EngineId | ''): void {
    const hold = this.#holds.get(partition)
    this.#holds.delete(partition)
    // Where it was owned for less than a turn the owner was not even told.
    if (hold !== 'owned' || this.#owned.delete(partition)) return
    this.#owner?.lose(partition)
    this.#moves.lost(successor)
  }

  #decideSoon(): void {
    if (this.#isDeciding) return
    this.#isDeciding = true
    this.#options.clock.soon(() => {
      this.#isDeciding = false
      this.#decide()
    })
  }

  #decide(): void {
    if (this.#isOver) return
    this.#tellOwned()
    const most = this.#left ? PARTITIONS : MOVED_AT_ONCE
    if (this.isSure)
      this.#placement.of(this.#staying()).forEach((to, partition) => {
        if (this.#underway.size < most) this.#decideOn(partition, to)
      })
    if (this.#underway.size > 0) return
    this.#moves.tell()
    if (this.#left && this.#holds.size === 0) this.#left()
  }

  #tellOwned(): void {
    const owned = new Map([...this.#owned].filter(([partition]) => !this.#releasing.has(partition)))
    for (const partition of owned.keys()) this.#owned.delete(partition)
    if (owned.size > 0) this.#owner?.own(owned)
  }

  #staying(): EngineId[] {
    return this.#left ? this.#engines.staying : [this.#options.engine, ...this.#engines.staying]
  }

  #decideOn(partition: number, to: EngineId | ''): void {
    if (this.#underway.has(partition) || this.#written.has(partition)) return
    const { engine } = this.#options
    const held = this.#held.get(partition)
    const hold = this.#holds.get(partition)
    if (hold === 'released' || (hold === 'owned' && to !== engine))
      this.#underwayWith(partition, this.#handOver(partition))
    else if (hold === undefined && to === engine && this.#engines.isDead(held?.owner ?? ''))
      this.#underwayWith(partition, this.#write(partition, held?.owner ? `${engine}<${held.owner}` : engine))
  }

  #underwayWith(partition: number, move: Promise<unknown>): void {
    this.#underway.add(partition)
    const ended = (): void => {
      this.#underway.delete(partition)
      this.#decideSoon()
    }
    move.then(ended, (error) => {
      this.#options.report('error', `moving partition ${partition} failed: ${error}`, { partition })
      ended()
    })
  }

  async #handOver(partition: number): Promise<void> {
    const held = this.#held.get(partition)
    if (this.#holds.get(partition) === 'owned') {
      this.#releasing.add(partition)
      await this.#owner?.release(partition)
      this.#releasing.delete(partition)
      if (this.#held.get(partition) !== held) return
      this.#holds.set(partition, 'released')
    }
    const to = this.#placement.of(this.#staying())[partition] ?? ''
    if ((await this.#write(partition, to)) && to !== this.#options.engine) this.#moves.handed(to)
  }

  /** Resolves with whether it was written for certain. */
  async #write(partition: number, value: string): Promise<boolean> {
    const revision = this.#held.get(partition)?.revision ?? 0
    try {
      return (await this.#options.ledger.put(`partition.${partition}`, value, revision)) !== null
    } catch (error) {
      if (!(error instanceof LedgerSilent)) throw error
      return false
    } finally {
      const isTold = (this.#held.get(partition)?.revision ?? 0) !== revision
      if (!isTold) this.#written.set(partition, this.#beats.last)
    }
  }
}
