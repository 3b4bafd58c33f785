import { CHANGES_KEPT, type Ledger, type LedgerEntry, LedgerSilent } from '../../engine/ledger/ledger.ts'
import type { Ground } from './ground.ts'
import type { Host } from './host.ts'
import type { Links } from './links.ts'

/** Where all engines agree. */
export const LEDGER = 'the ledger'

export interface LedgerFaults {
  /** Probability that a post is lost. */
  loss: number
  /** Probability that a put's fate stays unknown: written, not written, or written later. */
  unknown: number
  /** Probability that what changed is told up to 700 ms late. */
  lag: number
  /** Takes no writes while true, as while it chooses a leader. */
  silent: boolean
}

/** A put that is not answered is given up after this long. */
const GIVEN_UP_MS = [500, 2_500] as const
/** What posts wrote disappears so long after the last one. */
const EXPIRES_MS = 60_000
/** How often a watcher that is cut off tries to go on. */
const AGAIN_MS = 250

interface Watcher {
  readonly host: Host
  readonly hear: (entry: LedgerEntry) => void
  /** The last revision that it was told; null before it was told what is there. */
  told: number | null
  isUnderway: boolean
  isOver: boolean
}

/** The ledger that outlives engines: one order of changes, of which each engine hears through its own link, in time or late. */
export class SimLedger {
  faults: LedgerFaults = { loss: 0, unknown: 0, lag: 0, silent: false }
  /** Hears of each put as it is asked for. */
  onPut: (host: Host) => void = () => {}
  /** Whether a key is worth a line in the timeline: there are hundreds that nobody asks for. */
  isNoted: (key: string) => boolean = () => true
  readonly #ground: Ground
  readonly #links: Links
  /** Every change, the first at revision 1. */
  readonly #changes: LedgerEntry[] = []
  /** The newest of each key. */
  readonly #entries = new Map<string, LedgerEntry>()
  readonly #expiries = new Map<string, () => void>()
  readonly #watchers = new Set<Watcher>()
  #isClosed = false

  constructor(ground: Ground, links: Links) {
    this.#ground = ground
    this.#links = links
  }

  /** What is written now; null where nothing is. */
  get(key: string): string | null {
    return this.#entries.get(key)?.value ?? null
  }

  /** The ledger as this process reaches it. */
  door(host: Host): Ledger {
    return {
      watch: (hear) => this.#watch(host, hear),
      post: (key, value) => host.leave(() => this.#post(host, key, value)),
      put: (key, value, revision) =>
        new Promise((resolve, reject) => {
          this.onPut(host)
          host.leave(() => this.#put(host, key, value, revision, resolve, reject))
        }),
    }
  }

  /** Forgets all that waits, and takes no more: nobody is left. */
  close(): void {
    this.#isClosed = true
    for (const cancel of this.#expiries.values()) cancel()
    for (const watcher of this.#watchers) watcher.isOver = true
  }

  #watch(host: Host, hear: (entry: LedgerEntry) => void): Promise<() => void> {
    const watcher: Watcher = { host, hear, told: null, isUnderway: false, isOver: false }
    const end = () => {
      watcher.isOver = true
      this.#watchers.delete(watcher)
    }
    return new Promise((resolve) => {
      this.#watchers.add(watcher)
      this.#tell(watcher, () => resolve(end))
    })
  }

  /** Has a watcher told of what it was not told yet, soon. */
  #tell(watcher: Watcher, told = () => {}): void {
    const { dice, clock } = this.#ground
    if (watcher.isUnderway) return
    watcher.isUnderway = true
    const takes = dice.ledger.may(this.faults.lag) ? dice.ledger.between(20, 700) : dice.ledger.between(0, 3)
    const go = () => {
      if (watcher.isOver || watcher.host.isDead) return
      if (!this.#links.reaches(LEDGER, watcher.host.place.name)) return void clock.after(AGAIN_MS, go)
      watcher.isUnderway = false
      const changed = watcher.told === null ? this.#present() : this.#since(watcher.told)
      watcher.told = this.#changes.length
      watcher.host.arrive(() => {
        if (!watcher.isOver) for (const entry of changed) watcher.hear(entry)
        told()
      })
    }
    clock.after(takes, go)
  }

  #present(): LedgerEntry[] {
    return [...this.#entries.values()].filter(({ value }) => value !== null).sort((a, b) => a.revision - b.revision)
  }

  /** Of each key the last changes after this revision: a ledger keeps no more. */
  #since(revision: number): LedgerEntry[] {
    const kept = new Map<string, number>()
    return this.#changes
      .slice(revision)
      .reverse()
      .filter(({ key }) => {
        const count = (kept.get(key) ?? 0) + 1
        kept.set(key, count)
        return count <= CHANGES_KEPT
      })
      .reverse()
  }

  #post(host: Host, key: string, value: string): void {
    const { dice, clock, timeline } = this.#ground
    clock.after(dice.ledger.between(0, 3), () => {
      const isLost =
        dice.ledger.may(this.faults.loss) || this.#isClosed || this.faults.silent || !this.#isReachedBy(host)
      if (isLost) return timeline.count('posts lost')
      this.#write(key, value)
      this.#expiries.get(key)?.()
      this.#expiries.set(
        key,
        clock.after(EXPIRES_MS, () => this.#write(key, null)),
      )
    })
  }

  #put(
    host: Host,
    key: string,
    value: string,
    revision: number,
    resolve: (revision: number | null) => void,
    reject: (error: LedgerSilent) => void,
  ): void {
    const { dice, clock, timeline } = this.#ground
    const silent = () => {
      timeline.count('ledger silent')
      clock.after(dice.ledger.between(...GIVEN_UP_MS), () =>
        host.arrive(() => reject(new LedgerSilent('the ledger did not answer'))),
      )
    }
    const answer = (written: number | null) => {
      if (!this.#links.reaches(LEDGER, host.place.name)) return silent()
      clock.after(dice.ledger.between(0, 3), () => host.arrive(() => resolve(written)))
    }
    clock.after(dice.ledger.between(0, 3), () => {
      if (!this.#isReachedBy(host)) return silent()
      const isUnknown = this.faults.silent || dice.ledger.may(this.faults.unknown)
      if (!isUnknown) return answer(this.#compareAndWrite(host, key, value, revision))
      const fate = dice.ledger.pick(this.faults.silent ? ['lost', 'late'] : ['written', 'lost', 'late'])
      if (fate === 'written') this.#compareAndWrite(host, key, value, revision)
      if (fate === 'late')
        clock.after(dice.ledger.between(1, 3_000), () => {
          if (!this.faults.silent) this.#compareAndWrite(host, key, value, revision)
        })
      silent()
    })
  }

  #compareAndWrite(host: Host, key: string, value: string, revision: number): number | null {
    const { timeline } = this.#ground
    const present = this.#entries.get(key)
    if ((present?.revision ?? 0) !== revision) {
      timeline.count('puts fenced')
      return null
    }
    if (this.isNoted(key))
      timeline.note(null, `ledger: ${host.name} writes ${key} = ${value} at ${this.#changes.length + 1}`)
    return this.#write(key, value)
  }

  #write(key: string, value: string | null): number {
    const entry = { key, value, revision: this.#changes.length + 1 }
    this.#changes.push(entry)
    this.#entries.set(key, entry)
    for (const watcher of this.#watchers) this.#tell(watcher)
    return entry.revision
  }

  #isReachedBy(host: Host): boolean {
    return this.#links.reaches(host.place.name, LEDGER)
  }
}
