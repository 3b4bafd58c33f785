import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs'

const RECORD_BYTES = 300

/** How long each write and fsync of a record's bytes takes on this disk, one after another for `ms`, in ms. */
export const fsyncs = (path: string, ms: number): Float64Array => {
  const fd = openSync(path, 'w')
  const record = randomBytes(RECORD_BYTES)
  const latencies: number[] = []
  const start = performance.now()
  for (let now = start; now < start + ms; ) {
    writeSync(fd, record)
    fdatasyncSync(fd)
    const done = performance.now()
    latencies.push(done - now)
    now = done
  }
  closeSync(fd)
  unlinkSync(path)
  return Float64Array.from(latencies)
}
