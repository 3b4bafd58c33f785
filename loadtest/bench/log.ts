// Appends per second and their latency on the SQLite log, beside a plain write and fsync of the same bytes on the same
// disk in the same run: `node loadtest/bench/log.ts [SECONDS] [FOLDER]`.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../engine/log/sqlite.ts'
import { fsyncs } from './disk.ts'

const RECORD_BYTES = 300
const ROOMS = [1, 8, 64]
const seconds = Number(process.argv[2] ?? 3)
const base = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'madang-bench-'))

const report = (name: string, latencies: number[], tookMs: number) => {
  const sorted = latencies.sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)
  const rate = Math.round((latencies.length / tookMs) * 1000)
  console.log(
    `${name.padEnd(28)} ${String(rate).padStart(8)}/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   max ${at(1)} ms`,
  )
}

const rawReference = () =>
  report('raw write + fdatasync', [...fsyncs(join(base, 'raw'), seconds * 1000)], seconds * 1000)

const sqlite = async (rooms: number) => {
  const dir = join(base, `sqlite-${rooms}`)
  const storage = await openSqlite({
    dir,
    chance: { uint32: () => randomBytes(4).readUInt32LE(), bytes: (n) => new Uint8Array(randomBytes(n)) },
  })
  const latencies: number[] = []
  const start = performance.now()
  const play = async (room: string) => {
    const record = new Uint8Array(randomBytes(RECORD_BYTES))
    let position = 0
    for (let now = start; now < start + seconds * 1000; ) {
      position = await storage.append(room, position, record)
      const done = performance.now()
      latencies.push(done - now)
      now = done
    }
  }
  await Promise.all(Array.from({ length: rooms }, (_, i) => play(`room-${i}`)))
  report(`sqlite, ${rooms} rooms at once`, latencies, performance.now() - start)
  await storage.close()
}

rawReference()
for (const rooms of ROOMS) await sqlite(rooms)
rawReference()
rmSync(base, { recursive: true })
