import { expect } from 'vitest'
import { PARTITIONS } from '../../../bus/subjects.ts'
import { type VirtualClock, virtualClock } from '../../../test/virtual-clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { clusterOwnership } from '../cluster-ownership.ts'
import type { Ownership } from '../ownership.ts'
import { type Host, ledgerHost } from './ledger-door.ts'

/** An engine as far as ownership goes: what it was told to own, and how that came and went. */
export interface TestEngine {
  readonly id: string
  readonly host: Host
  readonly ownership: Ownership
  /** Partition and epoch. */
  readonly owned: Map<number, number>
  readonly lines: string[]
  readonly lost: number[]
  readonly released: number[]
  /** Their releases have not ended. */
  readonly releasing: Set<number>
  isCrashed: boolean
  isLeft: boolean
}

export interface OwnersOptions {
  seed?: number
  /** In each direction between an engine and the ledger. */
  delay?: () => number
  /** How long a release takes. */
  release?: () => number
}

/** Engines with one ledger in virtual time. Whenever one is told that it owns something it is checked that no other is sure of the same. */
export class Owners {
  readonly clock: VirtualClock
  /** Whether the ledger takes no writes. */
  isSilent = false
  readonly engines: TestEngine[] = []
  /** The highest epoch with which each partition was owned. */
  readonly #epochs = new Map<number, number>()
  readonly #ledger: Ledger
  readonly #options: Required<Omit<OwnersOptions, 'seed'>>

  constructor({ seed, delay = () => 1, release = () => 10 }: OwnersOptions = {}) {
    this.clock = virtualClock(seed)
    this.#options = { delay, release }
    const ledger = memoryLedger({ clock: this.clock })
    this.#ledger = {
      watch: (hear) => ledger.watch(hear),
      post: (key, value) => {
        if (!this.isSilent) ledger.post(key, value)
      },
      put: (key, value, revision) => (this.isSilent ? new Promise(() => {}) : ledger.put(key, value, revision)),
    }
  }

  start(): TestEngine {
    const id = `e${this.engines.length + 1}`
    const host = ledgerHost(this.#ledger, this.clock, this.#options.delay)
    const lines: string[] = []
    const ownership = clusterOwnership({
      engine: id,
      ledger: host.ledger,
      clock: host.clock,
      report: (level, message) => lines.push(`${level}: ${message}`),
    })
    const engine: TestEngine = {
      id,
      host,
      ownership,
      owned: new Map(),
      lines,
      lost: [],
      released: [],
      releasing: new Set(),
      isCrashed: false,
      isLeft: false,
    }
    this.engines.push(engine)
    const started = ownership.start({
      own: (partitions) => {
        for (const [partition, epoch] of partitions) this.#own(engine, partition, epoch)
        this.check()
      },
      release: async (partition) => {
        expect(engine.owned.has(partition), `${id} releases ${partition}, which it does not own`).toBe(true)
        engine.releasing.add(partition)
        await new Promise<void>((resolve) => host.clock.after(this.#options.release(), resolve))
        engine.releasing.delete(partition)
        if (engine.owned.delete(partition)) engine.released.push(partition)
      },
      lose: (partition) => {
        expect(engine.owned.delete(partition), `${id} loses ${partition}, which it does not own`).toBe(true)
        engine.lost.push(partition)
      },
    })
    started.catch((error) => lines.push(`start failed: ${error}`))
    return engine
  }

  crash(engine: TestEngine): void {
    engine.isCrashed = true
    engine.host.crash()
  }

  /** Lets it leave, for as long as that takes. */
  leave(engine: TestEngine): void {
    engine.isLeft = true
    void engine.ownership.leave()
  }

  /** Throws where two engines that run, or would if they woke now, are sure of the same partition. */
  check(): void {
    const by = new Map<number, string>()
    for (const { id, owned, ownership, isCrashed } of this.engines) {
      if (isCrashed || !ownership.isSure) continue
      for (const partition of owned.keys()) {
        const other = by.get(partition)
        if (other) throw new Error(`${id} and ${other} are both sure that they own partition ${partition}`)
        by.set(partition, id)
      }
    }
  }

  /** Whether exactly these engines own everything between them, each a share. */
  areAll(...engines: TestEngine[]): boolean {
    const shares = engines.map(({ owned }) => owned.size)
    return (
      engines.every(({ ownership }) => ownership.isSure) &&
      Math.min(...shares) > 0 &&
      shares.reduce((sum, share) => sum + share, 0) === PARTITIONS &&
      new Set(engines.flatMap(({ owned }) => [...owned.keys()])).size === PARTITIONS
    )
  }

  #own(engine: TestEngine, partition: number, epoch: number): void {
    expect(engine.owned.has(partition), `${engine.id} is given ${partition} twice`).toBe(false)
    expect(engine.releasing.has(partition), `${engine.id} is given ${partition}, which it is releasing`).toBe(false)
    expect(epoch, `the epoch of partition ${partition} at ${engine.id}`).toBeGreaterThan(
      this.#epochs.get(partition) ?? 0,
    )
    this.#epochs.set(partition, epoch)
    engine.owned.set(partition, epoch)
  }
}
