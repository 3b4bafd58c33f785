import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bytesOf, indexRow, testChance, textOf } from './conformance-values.ts'
import { type Folder, LOG_FILE, openFolder } from './sqlite-folder.ts'
import type { Operation, Outcome } from './sqlite-messages.ts'
import { entriesOf, Page } from './sqlite-page.ts'
import { SqliteStore } from './sqlite-store.ts'

const append = (room: string, after: number, record: Uint8Array): Operation => ({
  do: 'append',
  room,
  after,
  record,
  index: null,
})

describe('SqliteStore', () => {
  let dir: string
  let folder: Folder
  let store: SqliteStore

  const open = (at: string) => {
    folder = openFolder(at)
    return new SqliteStore(folder)
  }
  const read = (from: SqliteStore, room: string): string[] => {
    const [outcome] = from.run([{ do: 'read', room, after: 0, limit: 100_000 }])
    if (!outcome?.ok || !(outcome.value instanceof Page)) throw new Error(`reading ${room}: ${JSON.stringify(outcome)}`)
    return entriesOf(outcome.value).map((entry) => textOf(entry.record))
  }
  const kinds = (outcomes: Outcome[]) => outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.failure.kind))
  const position = (outcome: Outcome | undefined) => (outcome?.ok ? Number(outcome.value) : Number.NaN)
  const count = (table: string) => Number(folder.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n)
  /** A new folder with what the disk would hold if the process died now. */
  const crashImage = () => {
    const image = mkdtempSync(join(tmpdir(), 'madang-image-'))
    for (const name of readdirSync(dir)) if (!name.endsWith('-shm')) cpSync(join(dir, name), join(image, name))
    return image
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'madang-store-'))
    store = open(dir)
  })
  afterEach(() => {
    store.close()
    rmSync(dir, { recursive: true })
  })

  test('in a batch each bad record fails alone, and takes its index row with it, as it does without a batch', () => {
    const [first] = store.run([append('a', 0, bytesOf('a1'))])
    const bad: Operation = {
      do: 'append',
      room: 'c',
      after: 0,
      record: bytesOf('c1'),
      index: indexRow('c', { players: 0.5 }),
    }
    const outcomes = store.run([
      append('b', 0, bytesOf('b1')),
      append('a', 0, bytesOf('fenced')),
      bad,
      { do: 'putIndex', rows: [indexRow('d'), indexRow('e', { seq: 1.5 })] },
      append('a', position(first), bytesOf('a2')),
    ])
    expect(kinds(outcomes)).toEqual(['ok', 'fenced', 'not_stored', 'not_stored', 'ok'])
    expect(kinds(store.run([bad]))).toEqual(['not_stored'])
    expect(count('record')).toBe(3)
    expect(['a', 'b', 'c'].map((room) => read(store, room))).toEqual([['a1', 'a2'], ['b1'], []])
    expect(store.run([{ do: 'listIndex', filter: {}, after: '', limit: 9 }])).toEqual([{ ok: true, value: [] }])
    expect(kinds(store.run([append('c', 0, bytesOf('again'))]))).toEqual(['ok'])
  })

  test('a batch sees what was asked before it in the same batch', () => {
    const outcomes = store.run([
      append('a', 0, bytesOf('a1')),
      { do: 'read', room: 'a', after: 0, limit: 9 },
      { do: 'last', room: 'a' },
      { do: 'rooms', after: '', limit: 9 },
    ])
    const entry = { position: 1, record: bytesOf('a1') }
    expect(outcomes).toEqual([1, new Page([entry]), entry, ['a']].map((value) => ({ ok: true, value })))
  })

  test('a full disk refuses the record that does not fit and no other, and takes records again when there is space', () => {
    const [first] = store.run([append('a', 0, bytesOf('a1'))])
    const pages = Number(folder.db.prepare('PRAGMA page_count').get()?.page_count)
    folder.db.exec(`PRAGMA max_page_count = ${pages + 4}`)
    const large = testChance.bytes(100_000)
    const outcomes = store.run([append('b', 0, bytesOf('b1')), append('c', 0, large), append('d', 0, bytesOf('d1'))])
    expect(kinds(outcomes)).toEqual(['ok', 'not_stored', 'ok'])
    expect(outcomes[1]).toMatchObject({ failure: { message: 'the disk is full: make space' } })
    expect(kinds(store.run([append('c', 0, large)]))).toEqual(['not_stored'])
    expect(count('record')).toBe(3)
    expect(['a', 'b', 'c', 'd'].map((room) => read(store, room))).toEqual([['a1'], ['b1'], [], ['d1']])
    folder.db.exec('PRAGMA max_page_count = 1000000')
    expect(kinds(store.run([append('c', 0, large), append('a', position(first), bytesOf('a2'))]))).toEqual(['ok', 'ok'])
    expect(read(store, 'a')).toEqual(['a1', 'a2'])
  })

  describe('places', () => {
    const ROOMS = 60
    const heads = new Map<string, number>()
    const name = (i: number) => `room-${i % ROOMS}`
    const expected = (i: number, until: number) => {
      const list: string[] = []
      for (let n = i; n < until; n += ROOMS) list.push(`r${n}`)
      return list
    }
    const fill = (from: number, until: number, afterBatch: () => void) => {
      for (let n = from; n < until; n += ROOMS) {
        const batch = Array.from({ length: ROOMS }, (_, i) =>
          append(name(i), heads.get(name(i)) ?? 0, bytesOf(`r${n + i}`)),
        )
        store.run(batch).forEach((outcome, i) => {
          heads.set(name(i), position(outcome))
        })
        if (store.behind) store.catchUp()
        afterBatch()
      }
    }
    const check = (from: SqliteStore, until: number) => {
      for (let i = 0; i < ROOMS; i++) expect(read(from, name(i))).toEqual(expected(i, until))
      const names = Array.from({ length: ROOMS }, (_, i) => name(i)).sort()
      expect(from.run([{ do: 'rooms', after: '', limit: 1000 }])).toEqual([{ ok: true, value: names }])
    }

    beforeEach(() => heads.clear())

    test('fall behind the records by a bounded tail, and every room reads whole before, during and after a sweep', () => {
      let swept = 0
      let behindMost = 0
      fill(0, 12_000, () => {
        const placed = count('place')
        if (placed > swept) check(store, count('record'))
        swept = placed
        behindMost = Math.max(behindMost, count('record') - placed)
      })
      expect(swept).toBeGreaterThan(4096)
      // FULL: placing does without, and must not leave it so for the appends that follow.
      expect(folder.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
      expect(behindMost).toBeLessThan(3 * 4096)
      check(store, 12_000)
    })

    test('are found again from the records after a crash before, in and after a sweep; and the fence holds', () => {
      const images: { image: string; records: number; placed: number }[] = []
      fill(0, 6000, () => {
        const placed = count('place')
        if (images.length === 0 || placed > (images.at(-1)?.placed ?? 0)) {
          images.push({ image: crashImage(), records: count('record'), placed })
        }
      })
      expect(images.length).toBeGreaterThan(3)
      for (const { image, records, placed } of images) {
        const reopened = open(image)
        expect(count('place')).toBe(placed)
        expect(placed).toBeLessThan(records)
        check(reopened, records)
        const [last] = reopened.run([{ do: 'last', room: name(0) }])
        expect(last).toMatchObject({ value: { record: bytesOf(`r${records - ROOMS}`) } })
        expect(kinds(reopened.run([append(name(0), 0, bytesOf('late'))]))).toEqual(['fenced'])
        reopened.close()
        const again = open(image)
        expect(count('place')).toBe(records)
        check(again, records)
        again.close()
        rmSync(image, { recursive: true })
      }
    })
  })

  test('the WAL stays bounded while records go on', () => {
    let head = 0
    const record = testChance.bytes(100_000)
    for (let n = 0; n < 300; n++) {
      head = position(store.run([append('a', head, record)])[0])
      if (store.behind) store.catchUp()
    }
    expect(statSync(join(dir, `${LOG_FILE}-wal`)).size).toBeLessThan(8 * 1024 * 1024)
    expect(statSync(join(dir, LOG_FILE)).size).toBeGreaterThan(20 * 1024 * 1024)
  })

  test('a forgotten key is in no file of the folder any more', () => {
    const found = (key: Uint8Array) =>
      readdirSync(dir).filter((file) => readFileSync(join(dir, file)).includes(Buffer.from(key)))
    const key = testChance.bytes(32)
    store.run([{ do: 'playerKey', player: 'p', fresh: key }])
    expect(found(key)).not.toEqual([])
    store.run([{ do: 'forgetPlayer', player: 'p' }])
    expect(store.behind).toBe(true)
    store.catchUp()
    expect(found(key)).toEqual([])
  })
})
