import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { appendAll } from './conformance.ts'
import { bytesOf, indexRow, testChance, textOf } from './conformance-values.ts'
import { StorageError } from './log.ts'
import { openSqlite } from './sqlite.ts'
import { LOG_FILE } from './sqlite-folder.ts'
import { openSqliteReadonly, type ReadonlyStorage } from './sqlite-reader.ts'

describe('a reader', () => {
  let dir: string
  const open = () => openSqlite({ dir, chance: testChance })
  const texts = async (reader: ReadonlyStorage, room: string, after = 0, limit = 100) =>
    (await reader.read(room, after, limit)).map((entry) => textOf(entry.record))
  const contents = (at: string) =>
    readdirSync(at).map((file) => [file, readFileSync(join(at, file)).toString('base64')])

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'madang-reader-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  test('beside a running engine sees each commit, and neither stands in the way of the other', async () => {
    const storage = await open()
    const first = await storage.append('a', 0, bytesOf('one'), indexRow('a', { players: 2 }))
    const reader = await openSqliteReadonly(dir)
    expect(await texts(reader, 'a')).toEqual(['one'])
    const second = await storage.append('a', first, bytesOf('two'))
    const third = await storage.append('a', second, bytesOf('three'))
    await storage.append('b', 0, bytesOf('other'))
    await storage.putSnapshot('a', bytesOf('snap'))
    await storage.putRules('h', 'mafia', 1, 'source')
    const key = await storage.playerKey('p')
    expect(await texts(reader, 'a', first, 1)).toEqual(['two'])
    expect(await reader.last('a')).toEqual({ position: third, record: bytesOf('three') })
    expect(await reader.last('none')).toBeNull()
    expect([await reader.rooms('', 1), await reader.rooms('a', 9)]).toEqual([['a'], ['b']])
    expect(await reader.index('a')).toEqual(indexRow('a', { players: 2 }))
    expect(await reader.listIndex({ status: 'live' }, '', 9)).toEqual([indexRow('a', { players: 2 })])
    expect(await reader.snapshot('a')).toEqual(bytesOf('snap'))
    expect(await reader.rules('h')).toEqual({ game: 'mafia', version: 1, source: 'source' })
    expect(await reader.existingKey('p')).toEqual(key)
    await reader.close()
    await expect(reader.read('a', 0, 1)).rejects.toThrow('closed')
    await storage.close()
  })

  test('sees every record once while the engine places them behind its appends', async () => {
    const storage = await open()
    const reader = await openSqliteReadonly(dir)
    const rooms = Array.from({ length: 250 }, (_, i) => `room-${i}`)
    const records = Array.from({ length: 24 }, (_, i) => `r${i}`)
    let writing = true
    const written = Promise.all(rooms.map((room) => appendAll(storage, room, records))).finally(() => {
      writing = false
    })
    const seen: string[][] = []
    for (let i = 0; writing; i++)
      seen.push(await texts(reader, rooms[i % 5] ?? ''), [await new Promise((resolve) => setImmediate(resolve, ''))])
    await written
    const lists = seen.filter((list) => list[0] !== '')
    expect(lists.filter((list) => list.join() !== records.slice(0, list.length).join())).toEqual([])
    for (const room of rooms) expect(await texts(reader, room)).toEqual(records)
    expect((await reader.rooms('', 1000)).length).toBe(250)
    await reader.close()
    await storage.close()
  })

  test('of a folder that nobody has open leaves it bit for bit as it is', async () => {
    const storage = await open()
    await appendAll(storage, 'a', ['one', 'two'])
    await storage.close()
    const before = contents(dir)
    const reader = await openSqliteReadonly(dir)
    expect(await texts(reader, 'a')).toEqual(['one', 'two'])
    await reader.close()
    expect(contents(dir)).toEqual(before)
  })

  test('goes on when an engine starts on the folder, works and ends', async () => {
    let storage = await open()
    const first = await storage.append('a', 0, bytesOf('one'))
    await storage.close()
    const reader = await openSqliteReadonly(dir)
    expect(await texts(reader, 'a')).toEqual(['one'])
    storage = await open()
    const second = await storage.append('a', first, bytesOf('two'))
    expect(await texts(reader, 'a')).toEqual(['one', 'two'])
    await storage.append('a', second, bytesOf('three'))
    await storage.close()
    expect(await texts(reader, 'a')).toEqual(['one', 'two', 'three'])
    await reader.close()
  })

  test('of what a crash left sees all that was committed, and leaves log and WAL as they are', async () => {
    const storage = await open()
    await appendAll(storage, 'a', ['one', 'two'])
    const image = mkdtempSync(join(tmpdir(), 'madang-image-'))
    cpSync(dir, image, { recursive: true })
    await storage.close()
    const files = () => contents(image).filter(([file]) => !file?.endsWith('-shm'))
    const before = files()
    expect(before.map(([file]) => file)).toEqual(['lock', LOG_FILE, `${LOG_FILE}-wal`])
    const reader = await openSqliteReadonly(image)
    expect(await texts(reader, 'a')).toEqual(['one', 'two'])
    await reader.close()
    expect(files()).toEqual(before)
    rmSync(image, { recursive: true })
  })

  test('of a folder without a log is refused, and makes none', async () => {
    await expect(openSqliteReadonly(dir)).rejects.toThrow(StorageError)
    await expect(openSqliteReadonly(join(dir, 'missing'))).rejects.toThrow('no such file')
    // For a name that is too long, as for a folder of another user, no one can say that the file is missing.
    await expect(openSqliteReadonly(join(dir, 'x'.repeat(300)))).rejects.toThrow('ENAMETOOLONG')
    expect(readdirSync(dir)).toEqual([])
  })

  test('of pages overwritten with noise gives a room whole or not at all, and says what is wrong', async () => {
    const storage = await open()
    const rooms = Array.from({ length: 40 }, (_, i) => `room-${i}`)
    const records = Array.from({ length: 20 }, (_, i) => `record ${i} `.padEnd(200, 'x'))
    await Promise.all(rooms.map((room) => appendAll(storage, room, records)))
    await storage.close()
    const file = join(dir, LOG_FILE)
    const bytes = readFileSync(file)
    bytes.fill(0xa7, 20 * 4096, 24 * 4096)
    writeFileSync(file, bytes)
    const reader = await openSqliteReadonly(dir)
    const engine = await open()
    for (const reading of [reader, engine]) {
      const settled = await Promise.allSettled(rooms.map((room) => reading.read(room, 0, 100)))
      const whole = settled.filter((read) => read.status === 'fulfilled')
      const broken = settled.filter((read) => read.status === 'rejected')
      expect(whole.filter((read) => read.value.map((e) => textOf(e.record)).join() !== records.join())).toEqual([])
      expect(broken.length).toBeGreaterThan(0)
      for (const { reason } of broken) {
        expect(reason).toBeInstanceOf(StorageError)
        expect(reason.message).toMatch(/damaged/)
      }
    }
    await reader.close()
    await engine.close()
  })
})
