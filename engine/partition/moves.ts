import type { EngineId } from '../../bus/messages.ts'
import type { Report } from '../room/writer.ts'

/** Counts the partitions that move, to be reported in one line per batch. */
export class Moves {
  readonly #report: Report
  #lines = new Map<string, number>()

  constructor(report: Report) {
    this.#report = report
  }

  took(from: EngineId): void {
    this.#count(`took over % of engine ${from}, which is gone`)
  }

  handed(to: EngineId | ''): void {
    this.#count(to === '' ? 'gave up %: no other engine is there' : `handed % to engine ${to}`)
  }

  lost(to: EngineId | ''): void {
    this.#count(to === '' ? 'lost %' : `lost % to engine ${to}`)
  }

  /** Reports what was counted since. */
  tell(): void {
    const lines = this.#lines
    this.#lines = new Map()
    for (const [line, partitions] of lines)
      this.#report('info', line.replace('%', partitions === 1 ? '1 partition' : `${partitions} partitions`), {
        partitions,
      })
  }

  #count(line: string): void {
    this.#lines.set(line, (this.#lines.get(line) ?? 0) + 1)
  }
}
