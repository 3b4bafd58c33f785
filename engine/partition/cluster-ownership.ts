import type { EngineId } from '../../bus/messages.ts'
import { PARTITIONS } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import { type Ledger, type LedgerEntry, LedgerSilent } from '../ledger/ledger.ts'
import type { Report } from '../room/writer.ts'
import { Beats } from './beats.ts'
import { Engines } from './engines.ts'
import { engineKey, ownerValue, partitionKey, readKey, readOwner } from './ledger-keys.ts'
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

/** Whom a partition's key names. */
interface Holder {
  readonly owner: EngineId | ''
  /** Whether it was taken from an engine that was counted dead, not handed over. */
  readonly isTaken: boolean
  readonly revision: number
  /** When it was heard: a mark of `Beats`. */
  readonly mark: number
}

/**
 * How far this engine is with a partition whose key names it. `doubtful`: taken from an engine that may not know it yet;
 * `owned`; `released`: its `Owner` has ended the work on it, and the key is to name another engine.
 */
type Stage = 'doubtful' | 'owned' | 'released'

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
  readonly #holders = new Map<number, Holder>()
  /** Of those partitions whose key names this engine. */
  readonly #stages = new Map<number, Stage>()
  /** Partition and epoch of those of which the owner is still to be told, at the end of this turn of the loop. */
  readonly #newlyOwned = new Map<number, number>()
  /** Partitions that are being released or written. */
  readonly #underway = new Set<number>()
  /** Those of them whose owner is still at work on them: it is not told that it owns one of them anew. */
  readonly #releasing = new Set<number>()
  /** By partition: the beat that was the last when a write to its key ended, whatever came of that. Once a later one comes back the watch has told of the write. */
  readonly #writtenAt = new Map<number, number>()
  /** Resolve `sure`. */
  #waiting: (() => void)[] = []
  #isDeciding = false
  #isOver = false
  /** Ends the wait of `leave`; null before that is called. */
  #endLeave: (() => void) | null = null

  constructor(options: ClusterOwnershipOptions) {
    const { engine, ledger, clock, report } = options
    this.#options = options
    this.#beats = new Beats({
      clock,
      post: (beat) => ledger.post(engineKey(engine), this.#endLeave ? `${beat} leaving` : `${beat}`),
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
    for (const { owner } of this.#holders.values()) if (!this.#engines.isDead(owner)) there.add(owner)
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
    if (this.#isOver || this.#endLeave) return
    const left = new Promise<void>((resolve) => {
      this.#endLeave = resolve
    })
    const cancel = this.#options.clock.after(LEAVES_WITHIN_MS, () => this.#endLeave?.())
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
    this.#endLeave?.()
  }

  #hear({ key, value, revision }: LedgerEntry): void {
    if (this.#isOver) return
    const about = readKey(key)
    if (about?.of === 'engine') this.#hearBeat(about.engine, value)
    else if (about?.of === 'partition') this.#hearHolder(about.partition, value, revision)
    this.#decideSoon()
  }

  #hearBeat(engine: EngineId, value: string | null): void {
    if (value === null) this.#engines.faded(engine)
    else if (engine === this.#options.engine) this.#hearOwn(Number.parseInt(value, 10))
    else this.#engines.heard(engine, value.endsWith('leaving'), this.#endWatch === null)
  }

  #hearOwn(beat: number): void {
    this.#beats.cameBack(beat)
    for (const [partition, after] of this.#writtenAt) if (beat > after) this.#writtenAt.delete(partition)
    for (const [partition, stage] of this.#stages) {
      const holder = this.#holders.get(partition)
      if (stage === 'doubtful' && holder && this.#beats.hasPassed(holder.mark)) this.#own(partition, holder.revision)
    }
    if (!this.isSure) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #hearHolder(partition: number, value: string | null, revision: number): void {
    const before = this.#holders.get(partition)
    const { owner, takenFrom } = readOwner(value)
    const holder: Holder = { owner, isTaken: takenFrom !== undefined, revision, mark: this.#beats.mark() }
    this.#holders.set(partition, holder)
    this.#writtenAt.delete(partition)
    this.#giveUp(partition, owner)
    if (owner !== this.#options.engine) return
    // One that was counted dead may have beaten since, before it was written that this engine took over: it is sure, and does not know yet.
    // So may another one from which it was taken in its turn, if that was lately.
    const isSettled = before && (!before.isTaken || this.#beats.hasPassed(before.mark))
    if (!holder.isTaken || (isSettled && this.#engines.isDead(before.owner))) this.#own(partition, revision)
    else this.#stages.set(partition, 'doubtful')
    if (takenFrom !== undefined) this.#moves.took(takenFrom)
  }

  #own(partition: number, epoch: number): void {
    this.#stages.set(partition, 'owned')
    this.#newlyOwned.set(partition, epoch)
  }

  /** The key names another owner than it did, or the same one anew. */
  #giveUp(partition: number, successor: EngineId | ''): void {
    const stage = this.#stages.get(partition)
    this.#stages.delete(partition)
    // Where it was owned for less than a turn the owner was not even told.
    if (stage !== 'owned' || this.#newlyOwned.delete(partition)) return
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
    const most = this.#endLeave ? PARTITIONS : MOVED_AT_ONCE
    if (this.isSure)
      this.#placement.of(this.#staying()).forEach((to, partition) => {
        if (this.#underway.size < most) this.#decideOn(partition, to)
      })
    if (this.#underway.size > 0) return
    this.#moves.tell()
    if (this.#endLeave && this.#stages.size === 0) this.#endLeave()
  }

  #tellOwned(): void {
    const owned = new Map([...this.#newlyOwned].filter(([partition]) => !this.#releasing.has(partition)))
    for (const partition of owned.keys()) this.#newlyOwned.delete(partition)
    if (owned.size > 0) this.#owner?.own(owned)
  }

  #staying(): EngineId[] {
    return this.#endLeave ? this.#engines.staying : [this.#options.engine, ...this.#engines.staying]
  }

  #decideOn(partition: number, to: EngineId | ''): void {
    if (this.#underway.has(partition) || this.#writtenAt.has(partition)) return
    const { engine } = this.#options
    const holder = this.#holders.get(partition)
    const stage = this.#stages.get(partition)
    if (stage === 'released' || (stage === 'owned' && to !== engine))
      this.#underwayWith(partition, this.#handOver(partition))
    else if (stage === undefined && to === engine && this.#engines.isDead(holder?.owner ?? ''))
      this.#underwayWith(partition, this.#write(partition, ownerValue(engine, holder?.owner)))
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
    const holder = this.#holders.get(partition)
    if (this.#stages.get(partition) === 'owned') {
      this.#releasing.add(partition)
      await this.#owner?.release(partition)
      this.#releasing.delete(partition)
      if (this.#holders.get(partition) !== holder) return
      this.#stages.set(partition, 'released')
    }
    const to = this.#placement.of(this.#staying())[partition] ?? ''
    if ((await this.#write(partition, ownerValue(to))) && to !== this.#options.engine) this.#moves.handed(to)
  }

  /** Resolves with whether it was written for certain. */
  async #write(partition: number, value: string): Promise<boolean> {
    const revision = this.#holders.get(partition)?.revision ?? 0
    try {
      return (await this.#options.ledger.put(partitionKey(partition), value, revision)) !== null
    } catch (error) {
      if (!(error instanceof LedgerSilent)) throw error
      return false
    } finally {
      const isTold = (this.#holders.get(partition)?.revision ?? 0) !== revision
      if (!isTold) this.#writtenAt.set(partition, this.#beats.last)
    }
  }
}
