import type { Entry } from './log.ts'

/** The records of a page one after another in one buffer, which crosses to another thread without a copy. */
export class Page {
  readonly positions: Float64Array<ArrayBuffer>
  /** Where each record ends in `bytes`. */
  readonly ends: Float64Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>

  constructor(entries: readonly Entry[]) {
    this.positions = Float64Array.from(entries, ({ position }) => position)
    this.ends = new Float64Array(entries.length)
    let end = 0
    for (const [i, { record }] of entries.entries()) {
      end += record.length
      this.ends[i] = end
    }
    this.bytes = new Uint8Array(end)
    for (const [i, { record }] of entries.entries()) this.bytes.set(record, (this.ends[i] ?? 0) - record.length)
  }
}

/** The entries of a page, whose records are views of its bytes. Pure. Takes what became of a Page on its way, too. */
export const entriesOf = ({ positions, ends, bytes }: Page): Entry[] =>
  Array.from(positions, (position, i) => ({ position, record: bytes.subarray(ends[i - 1] ?? 0, ends[i]) }))
