import { createHash } from 'node:crypto'
import type { RoomId } from '../../protocol/frames.ts'

interface Entry {
  readonly at: number
  /** Null for what concerns every room. */
  readonly room: RoomId | null
  readonly text: string
}

/** A promise that was broken: which, in which room (null: none in particular), when, and how it showed. */
export interface Failure {
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'replay' | 'run'
  readonly room: RoomId | null
  /** Ms of virtual time since the world began. */
  readonly at: number
  readonly what: string
}

/** Failures after this many say nothing new. */
const FAILURES_KEPT = 20

/** All that happened in a world, in order: what a failure is read from, and what two runs of one seed must agree on. */
export class Timeline {
  readonly failures: Failure[] = []
  readonly counters: Record<string, number> = {}
  readonly #entries: Entry[] = []
  readonly #hash = createHash('sha256')
  readonly #now: () => number

  /** `now`: ms of virtual time since the world began. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Ms of virtual time since the world began. */
  get now(): number {
    return this.#now()
  }

  note(room: RoomId | null, text: string): void {
    const at = this.#now()
    this.#entries.push({ at, room, text })
    this.#hash.update(`${at} ${room} ${text}\n`)
  }

  count(what: string, by = 1): void {
    this.counters[what] = (this.counters[what] ?? 0) + by
  }

  /** `at`: ms since the world began, where it shows only later. */
  fail(promise: Failure['promise'], room: RoomId | null, what: string, at = this.#now()): void {
    if (this.failures.length >= FAILURES_KEPT) return
    this.failures.push({ promise, room, at, what })
    this.note(room, `✗ ${promise}: ${what}`)
  }

  /** Of everything so far. The timeline takes no more notes after it. */
  hash(): string {
    return this.#hash.digest('hex')
  }

  /** The last `most` lines about a room (null: about all), with what concerned every room, up to `until` ms. */
  of(room: RoomId | null, until: number, most: number): string {
    return this.#entries
      .filter((entry) => entry.at <= until && (room === null || entry.room === room || entry.room === null))
      .slice(-most)
      .map(({ at, text }) => `${at.toString().padStart(8)} ms  ${text}`)
      .join('\n')
  }
}
