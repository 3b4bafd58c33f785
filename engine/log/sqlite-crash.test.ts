import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bytesOf, testChance, textOf } from './conformance-values.ts'
import { FateUnknown, NotStored, type Storage, StorageError } from './log.ts'
import { openSqlite } from './sqlite.ts'
import { SqliteLine } from './sqlite-line.ts'

const VICTIM = fileURLToPath(new URL('./sqlite-victim.ts', import.meta.url))
const WORKER = new URL('./sqlite-worker.ts', import.meta.url)

/** A child process that appends until it is killed, and what it said. */
class Victim {
  readonly lines: string[] = []
  readonly complaints: string[] = []
  readonly #child: ChildProcessWithoutNullStreams
  readonly ended: Promise<NodeJS.Signals | null>

  constructor(command: string, args: string[]) {
    this.#child = spawn(command, args)
    createInterface(this.#child.stdout).on('line', (line) => this.lines.push(line))
    createInterface(this.#child.stderr).on('line', (line) => this.complaints.push(line))
    this.ended = new Promise((resolve) => this.#child.once('close', (_, signal) => resolve(signal)))
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN
  }
  get refused(): string[] {
    return this.lines.filter((line) => line.includes('refused'))
  }
  /** The number of the last acknowledged record, by room. */
  get acknowledged(): Map<string, number> {
    const rooms = new Map<string, number>()
    for (const line of this.lines) {
      const [room, n] = line.split(' ')
      if (room?.startsWith('room-') && !line.includes('refused')) rooms.set(room, Number(n))
    }
    return rooms
  }

  async until(condition: () => boolean): Promise<void> {
    const met = vi.waitFor(() => expect(condition()).toBe(true), { timeout: 30_000, interval: 20 })
    const died = this.ended.then(() => {
      throw new Error(`the child ended by itself: ${this.complaints.join('\n')}`)
    })
    await Promise.race([met, died])
  }
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

describe('sqlite survives', () => {
  let dir: string
  let victims: Victim[]
  const start = (command: string, ...args: string[]) => {
    const victim = new Victim(command, args)
    victims.push(victim)
    return victim
  }
  const open = () => openSqlite({ dir, chance: testChance })
  const texts = async (storage: Storage, room: string) =>
    (await storage.read(room, 0, 1_000_000)).map((entry) => textOf(entry.record).trimEnd())
  /** Every room holds its records 0, 1, 2 … without a hole or a double, up to at least the last acknowledged one. */
  const expectAllOf = async (acknowledged: Map<string, number>) => {
    const storage = await open()
    for (const [room, last] of acknowledged) {
      const records = await texts(storage, room)
      expect(records).toEqual(records.map((_, n) => `${room} ${n}`))
      expect(records.length).toBeGreaterThan(last)
    }
    await storage.close()
  }

  const startWorker = async () => {
    const worker = new Worker(WORKER, { workerData: { dir }, execArgv: [] })
    await new Promise((resolve) => worker.once('message', resolve))
    return worker
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'madang-crash-'))
    victims = []
  })
  afterEach(async () => {
    for (const victim of victims) await victim.kill()
    rmSync(dir, { recursive: true })
  })

  test('P1 durable: seven kills with -9 in the middle of appends lose nothing acknowledged, and the lock dies too', async () => {
    for (let round = 1; round <= 7; round++) {
      const victim = start(process.execPath, VICTIM, dir, '8', '300')
      // Beyond 4096 records a kill falls into the placing of the tail as well.
      await victim.until(() => victim.lines.length > 200 * round && victim.acknowledged.size === 8)
      await victim.kill()
      expect(victim.refused).toEqual([])
      await expectAllOf(victim.acknowledged)
    }
  })

  const prlimit = spawnSync('prlimit', ['--version']).status === 0
  test.skipIf(!prlimit)(
    'a file system that takes no more: refused appends are not stored, earlier ones stay, later ones work',
    async () => {
      const victim = start('prlimit', '--fsize=3000000:unlimited', process.execPath, VICTIM, dir, '3', '50000')
      await victim.until(() => victim.refused.length > 20)
      expect(victim.refused[0]).toMatch(/NotStored: the disk (is full|failed)/)
      const before = victim.acknowledged
      expect(spawnSync('prlimit', [`--pid=${victim.pid}`, '--fsize=unlimited:unlimited']).status).toBe(0)
      await victim.until(() => [...victim.acknowledged].every(([room, n]) => n > (before.get(room) ?? 0) + 3))
      await victim.kill()
      await expectAllOf(victim.acknowledged)
    },
  )

  test('the death of its thread: appends in flight are FateUnknown, the trouble is told once, later appends are NotStored', async () => {
    const worker = await startWorker()
    const troubles: Error[] = []
    const line = new SqliteLine(worker, (error) => troubles.push(error))
    const append = (room: string, after: number) =>
      line.ask<number>({ do: 'append', room, after, record: bytesOf('x'), index: null })
    const position = await append('a', 0)
    // No message that sqlite.ts would send: it stands for any bug that throws in the thread.
    worker.postMessage(null)
    const pending = [append('a', position), append('b', 0)]
    const reading = line.ask({ do: 'last', room: 'a' })
    const settled = await Promise.allSettled([...pending, reading])
    expect(settled.map((each) => each.status === 'rejected' && each.reason.constructor)).toEqual([
      FateUnknown,
      FateUnknown,
      StorageError,
    ])
    await new Promise((resolve) => worker.once('exit', resolve))
    expect(troubles.length).toBe(1)
    expect(troubles[0]?.message).toContain('restart')
    await expect(append('c', 0)).rejects.toThrow(NotStored)
    await line.close()
    const storage = await open()
    expect(await texts(storage, 'a')).toEqual(['x'])
    await storage.close()
  })
  test('the death of its thread while it closes: close rejects, and the trouble is told', async () => {
    const worker = await startWorker()
    const troubles: Error[] = []
    const line = new SqliteLine(worker, (error) => troubles.push(error))
    worker.postMessage(null)
    await expect(line.close()).rejects.toThrow('restart')
    expect(troubles.length).toBe(1)
  })
})
