import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PARTITIONS, partitionOf } from '../../bus/subjects.ts'
import { MAX_RECORD_BYTES } from './bounds.ts'
import { bytesOf, indexRow, testChance, textOf } from './conformance-values.ts'
import { Fenced, type IndexRow, NotStored, type Storage, StorageError } from './log.ts'

export interface StorageUnderTest {
  /** An empty storage. `reopen` closes it and opens what it kept, where the storage outlives its object. */
  open(): Promise<{ storage: Storage; reopen?: () => Promise<Storage> }>
}

/** Appends these texts one after another, and returns the position of the last. */
export const appendAll = async (storage: Storage, room: string, texts: string[], after = 0): Promise<number> => {
  let position = after
  for (const text of texts) position = await storage.append(room, position, bytesOf(text))
  return position
}
const texts = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `r${from + i}`)
const readTexts = async (storage: Storage, room: string, after = 0, limit = 1000) =>
  (await storage.read(room, after, limit)).map((entry) => textOf(entry.record))

/** Declares the tests that every storage passes. They take from it no more than log.ts promises. */
export const storageConformance = (name: string, kind: StorageUnderTest): void => {
  describe(`${name} keeps what log.ts promises`, () => {
    let storage: Storage
    let reopen: (() => Promise<Storage>) | undefined

    beforeEach(async () => {
      ;({ storage, reopen } = await kind.open())
    })
    afterEach(() => storage.close())

    describe('records', () => {
      test('come back in the order of their appends, byte for byte, under rising positions', async () => {
        const every = Uint8Array.from({ length: 256 }, (_, i) => i)
        const first = await storage.append('a', 0, every)
        const second = await storage.append('a', first, bytesOf('two'))
        expect(first).toBeGreaterThan(0)
        expect(second).toBeGreaterThan(first)
        expect(await storage.read('a', 0, 10)).toEqual([
          { position: first, record: every },
          { position: second, record: bytesOf('two') },
        ])
      })

      test('a room without records reads as empty, and has no last record', async () => {
        await storage.append('a', 0, bytesOf('x'))
        expect(await storage.read('b', 0, 10)).toEqual([])
        expect(await storage.last('b')).toBeNull()
      })

      test('last is the newest record with its position', async () => {
        const position = await appendAll(storage, 'a', ['one', 'two', 'three'])
        await appendAll(storage, 'b', ['other'])
        expect(await storage.last('a')).toEqual({ position, record: bytesOf('three') })
      })

      test('paging from any position to the next misses none and repeats none', async () => {
        await appendAll(storage, 'a', texts(0, 25))
        await appendAll(storage, 'b', texts(100, 103))
        const pages: string[][] = []
        let after = 0
        for (;;) {
          const page = await storage.read('a', after, 10)
          if (page.length === 0) break
          pages.push(page.map((entry) => textOf(entry.record)))
          after = page.at(-1)?.position ?? Number.NaN
        }
        expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
        expect(pages.flat()).toEqual(texts(0, 25))
      })

      test('256 KiB and the largest record come back whole; one byte more is refused and nothing is stored', async () => {
        const large = testChance.bytes(256 * 1024)
        const largest = testChance.bytes(MAX_RECORD_BYTES)
        const first = await storage.append('a', 0, large)
        const second = await storage.append('a', first, largest)
        await expect(storage.append('a', second, new Uint8Array(MAX_RECORD_BYTES + 1))).rejects.toThrow(NotStored)
        const entries = await storage.read('a', 0, 10)
        expect(entries.map((entry) => Buffer.compare(entry.record, entries[0] === entry ? large : largest))).toEqual([
          0, 0,
        ])
      })

      test('what the caller does to a buffer later changes nothing that is stored, before and after the append resolves', async () => {
        const pool = bytesOf('..mine..')
        const record = pool.subarray(2, 6)
        const pending = storage.append('a', 0, record)
        pool.fill(0)
        await pending
        const [read] = await storage.read('a', 0, 1)
        expect(read && textOf(read.record)).toBe('mine')
        read?.record.fill(0)
        const last = await storage.last('a')
        expect(last && textOf(last.record)).toBe('mine')
        last?.record.fill(0)
        expect(await readTexts(storage, 'a')).toEqual(['mine'])
      })

      test('the caller keeps its buffer: none is detached', async () => {
        const record = new Uint8Array(100_000).fill(7)
        await storage.append('a', 0, record)
        await storage.putSnapshot('a', record)
        expect([record.byteLength, record[99_999]]).toEqual([100_000, 7])
      })

      test('appends to many rooms at once all land, each in its room', async () => {
        const rooms = Array.from({ length: 64 }, (_, i) => `room-${i}`)
        await Promise.all(rooms.map((room) => appendAll(storage, room, [`${room} 1`, `${room} 2`, `${room} 3`])))
        for (const room of rooms) expect(await readTexts(storage, room)).toEqual([1, 2, 3].map((n) => `${room} ${n}`))
      })

      test('rooms are listed in order, in pages, each once', async () => {
        for (const room of ['c', 'A', 'b', 'a', '_', '0']) await appendAll(storage, room, ['one', 'two'])
        expect(await storage.rooms('', 4)).toEqual(['0', 'A', '_', 'a'])
        expect(await storage.rooms('a', 4)).toEqual(['b', 'c'])
        expect(await storage.rooms('c', 4)).toEqual([])
      })
    })

    describe('the fence', () => {
      test.each([
        ['behind', (last: number) => last - 1],
        ['beyond', (last: number) => last + 1],
        ['before all', () => 0],
      ])('an append with a position %s the last is Fenced, and nothing is stored', async (_, wrong) => {
        const first = await appendAll(storage, 'a', ['one'])
        const last = await appendAll(storage, 'a', ['two'], first)
        await expect(storage.append('a', wrong(last), bytesOf('late'))).rejects.toThrow(Fenced)
        await expect(storage.append('a', wrong(last), bytesOf('late'))).rejects.toMatchObject({ room: 'a' })
        expect(await readTexts(storage, 'a')).toEqual(['one', 'two'])
        expect(await appendAll(storage, 'a', ['three'], last)).toBeGreaterThan(last)
      })

      test('a first append with a position other than 0 is Fenced, and the room is not listed', async () => {
        await expect(storage.append('a', 1, bytesOf('x'))).rejects.toThrow(Fenced)
        expect(await storage.rooms('', 10)).toEqual([])
      })

      test('of two appends with the same position one wins, whichever they are among', async () => {
        const position = await appendAll(storage, 'a', ['one'])
        const others = ['b', 'c', 'd'].map((room) => storage.append(room, 0, bytesOf('fine')))
        const rivals = ['x', 'y'].map((text) => storage.append('a', position, bytesOf(text)))
        const settled = await Promise.allSettled(rivals)
        expect(settled.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected'])
        expect(settled[1]).toMatchObject({ reason: { name: 'Fenced' } })
        expect((await Promise.all(others)).length).toBe(3)
        expect(await readTexts(storage, 'a')).toEqual(['one', 'x'])
      })
    })

    describe('the room index', () => {
      test('a row rides with its append', async () => {
        const row = indexRow('a', { due: 1_795_000_000_123, public: true, phase: 'playing', players: 2, seq: 7 })
        await storage.append('a', 0, bytesOf('one'), row)
        expect(await storage.index('a')).toEqual(row)
      })

      test('a fenced append leaves the row as it was', async () => {
        await storage.append('a', 0, bytesOf('one'), indexRow('a', { seq: 1 }))
        await expect(storage.append('a', 0, bytesOf('two'), indexRow('a', { seq: 2 }))).rejects.toThrow(Fenced)
        await expect(storage.append('b', 9, bytesOf('two'), indexRow('b'))).rejects.toThrow(Fenced)
        expect(await storage.index('a')).toEqual(indexRow('a', { seq: 1 }))
        expect(await storage.index('b')).toBeNull()
      })

      test('putIndex writes all its rows, in place of earlier ones', async () => {
        await storage.putIndex([indexRow('a'), indexRow('b')])
        await storage.putIndex([indexRow('a', { status: 'over', phase: 'over' }), indexRow('c')])
        await storage.putIndex([])
        expect(await storage.index('a')).toEqual(indexRow('a', { status: 'over', phase: 'over' }))
        expect((await storage.listIndex({}, '', 10)).map((row) => row.room)).toEqual(['a', 'b', 'c'])
      })

      test('rows are listed by status, game and public, in order of room, in pages', async () => {
        const rows = [
          indexRow('d', { status: 'live', public: true }),
          indexRow('a', { status: 'live', game: 'mafia' }),
          indexRow('c', { status: 'asleep', public: true, due: 5 }),
          indexRow('b', { status: 'live', public: true }),
        ]
        await storage.putIndex(rows)
        const list = async (...args: Parameters<Storage['listIndex']>) =>
          (await storage.listIndex(...args)).map((row) => row.room)
        expect(await list({}, '', 3)).toEqual(['a', 'b', 'c'])
        expect(await list({}, 'c', 3)).toEqual(['d'])
        expect(await list({ status: 'live' }, '', 10)).toEqual(['a', 'b', 'd'])
        expect(await list({ status: 'live' }, 'a', 1)).toEqual(['b'])
        expect(await list({ status: 'live', game: 'tictactoe', public: true }, 'b', 10)).toEqual(['d'])
        expect(await list({ public: false }, '', 10)).toEqual(['a'])
        expect(await list({ status: 'over' }, '', 10)).toEqual([])
        expect(await storage.listIndex({ status: 'asleep' }, '', 10)).toEqual([rows[2]])
        await storage.putIndex([indexRow('bb', { status: 'over' }), indexRow('e', { status: 'asleep' })])
        expect(await list({ status: 'unfinished' }, '', 3)).toEqual(['a', 'b', 'c'])
        expect(await list({ status: 'unfinished' }, 'b', 10)).toEqual(['c', 'd', 'e'])
        expect(await list({ status: 'unfinished', public: true, game: 'tictactoe' }, 'b', 10)).toEqual(['c', 'd'])
      })

      test('a room that is over has one row, which is not among the others; so has one that is opened again', async () => {
        const of = (...statuses: IndexRow['status'][]) =>
          statuses.map((status) => indexRow('a', { status, public: true }))
        const rooms = async (status?: IndexRow['status']) =>
          (await storage.listIndex(status === undefined ? {} : { status, public: true }, '', 10)).map(
            (row) => row.status,
          )
        for (const row of of('live', 'asleep', 'over')) await storage.putIndex([row])
        expect(await storage.index('a')).toMatchObject({ status: 'over' })
        expect([await rooms(), await rooms('live'), await rooms('asleep'), await rooms('over')]).toEqual([
          ['over'],
          [],
          [],
          ['over'],
        ])
        for (const row of of('live')) await storage.putIndex([row])
        expect(await storage.index('a')).toMatchObject({ status: 'live' })
        expect([await rooms(), await rooms('live'), await rooms('asleep'), await rooms('over')]).toEqual([
          ['live'],
          ['live'],
          [],
          [],
        ])
        for (const row of of('over')) await storage.putIndex([row])
        expect([await rooms(), await rooms('live')]).toEqual([['over'], []])
      })

      test('rows are listed by partition, in pages that miss none and repeat none', async () => {
        const rooms = Array.from({ length: 60 }, (_, n) => `room-${String(n).padStart(2, '0')}`)
        await storage.putIndex(rooms.map((room, n) => indexRow(room, { status: n % 2 === 0 ? 'live' : 'asleep' })))
        // Of the 60, some and not all.
        const partitions = new Set(rooms.filter((_, n) => n % 3 === 0).map(partitionOf))
        const wanted = rooms.filter((room, n) => partitions.has(partitionOf(room)) && n % 2 === 0)
        const pages: string[][] = []
        let after = ''
        do {
          const page = await storage.listIndex({ status: 'live', partitions }, after, 3)
          pages.push(page.map((row) => row.room))
          after = page.at(-1)?.room ?? ''
        } while (after !== '')
        expect(pages.flat()).toEqual(wanted)
        expect(pages.slice(0, 3).map((page) => page.length)).toEqual([3, 3, 3])
        await storage.putIndex([indexRow('room-00', { status: 'over' })])
        const unfinished = rooms.filter((room) => partitions.has(partitionOf(room)) && room !== 'room-00')
        expect((await storage.listIndex({ status: 'unfinished', partitions }, '', 100)).map((row) => row.room)).toEqual(
          unfinished,
        )
        expect(await storage.listIndex({ partitions: new Set() }, '', 10)).toEqual([])
        const all = new Set(Array.from({ length: PARTITIONS }, (_, partition) => partition))
        expect((await storage.listIndex({ partitions: all }, '', 100)).map((row) => row.room)).toEqual(rooms)
      })

      test('rows of one partition are listed whole, also where they are thousands', async () => {
        const rooms: string[] = []
        for (let n = 0; rooms.length < 1_100; n++) if (partitionOf(`room-${n}`) === 7) rooms.push(`room-${n}`)
        await storage.putIndex(rooms.map((room) => indexRow(room)))
        const listed = await storage.listIndex({ status: 'unfinished', partitions: new Set([7]) }, '', 2_000)
        expect(listed.map((row) => row.room)).toEqual(rooms.sort())
      })

      test('a row that is changed by the caller later is not changed in the storage', async () => {
        const row = indexRow('a')
        const pending = storage.putIndex([row])
        row.players = 99
        await pending
        expect((await storage.index('a'))?.players).toBe(0)
      })
    })

    describe('snapshots, rules and keys', () => {
      test('a snapshot takes the place of the earlier one, and of no other room', async () => {
        expect(await storage.snapshot('a')).toBeNull()
        await storage.putSnapshot('a', bytesOf('old'))
        await storage.putSnapshot('b', bytesOf('other'))
        await storage.putSnapshot('a', bytesOf('new'))
        expect(await storage.snapshot('a')).toEqual(bytesOf('new'))
        expect(await storage.snapshot('b')).toEqual(bytesOf('other'))
      })

      test('rules are kept by hash, and the first ones stay', async () => {
        expect(await storage.rules('h1')).toBeNull()
        await storage.putRules('h1', 'mafia', 3, 'export default 1 // 마당')
        await storage.putRules('h1', 'other', 4, 'export default 2')
        expect(await storage.rules('h1')).toEqual({ game: 'mafia', version: 3, source: 'export default 1 // 마당' })
      })

      test('a player has one key of 32 bytes, from the first call on, also when two ask at once', async () => {
        expect(await storage.existingKey('p')).toBeNull()
        const [one, two] = await Promise.all([storage.playerKey('p'), storage.playerKey('p')])
        expect(one.byteLength).toBe(32)
        expect(two).toEqual(one)
        expect(await storage.existingKey('p')).toEqual(one)
        expect(await storage.playerKey('q')).not.toEqual(one)
      })

      test('a forgotten key is gone; a later one is another, and forgetting nobody is harmless', async () => {
        const old = await storage.playerKey('p')
        const other = await storage.playerKey('q')
        await storage.forgetPlayer('p')
        await storage.forgetPlayer('nobody')
        expect(await storage.existingKey('p')).toBeNull()
        expect(await storage.playerKey('p')).not.toEqual(old)
        expect(await storage.existingKey('q')).toEqual(other)
      })

      test('epochs rise', async () => {
        const first = await storage.nextEpoch()
        const [second, third] = await Promise.all([storage.nextEpoch(), storage.nextEpoch()])
        expect(first).toBeGreaterThan(0)
        expect(second).toBeGreaterThan(first)
        expect(third).toBeGreaterThan(second)
      })
    })

    describe('calls that make no sense', () => {
      const record = bytesOf('x')
      test.each<[string, (storage: Storage) => Promise<unknown>]>([
        ['a room id with a space', (s) => s.append('a b', 0, record)],
        ['an empty room id', (s) => s.read('', 0, 1)],
        ['a room id of 65 characters', (s) => s.last('a'.repeat(65))],
        ['a negative position', (s) => s.append('a', -1, record)],
        ['a position that is no integer', (s) => s.read('a', 0.5, 1)],
        ['an empty record', (s) => s.append('a', 0, new Uint8Array())],
        ['an index row of another room', (s) => s.append('a', 0, record, indexRow('b'))],
        ['a page of nothing', (s) => s.read('a', 0, 0)],
        ['a page of rooms of nothing', (s) => s.rooms('', 0)],
        ['an endless page of rows', (s) => s.listIndex({}, '', Number.POSITIVE_INFINITY)],
        ['an index row with a bad room', (s) => s.putIndex([indexRow('ok'), indexRow('not ok')])],
        ['a player id with a slash', (s) => s.playerKey('a/b')],
      ])('%s is refused with a RangeError, and nothing is stored', async (_, call) => {
        await expect(call(storage)).rejects.toThrow(RangeError)
        expect(await storage.rooms('', 10)).toEqual([])
        expect(await storage.listIndex({}, '', 10)).toEqual([])
      })
    })

    test('calls take effect in the order in which they were made, also where none was waited for', async () => {
      const pending: Promise<unknown>[] = []
      for (let n = 0; n < 300; n++) {
        pending.push(storage.putSnapshot('a', bytesOf(`${n}`)), storage.putIndex([indexRow('a', { seq: n })]))
        // A turn of the microtask queue apart: calls of one turn may travel together.
        await null
      }
      const key = storage.playerKey('p')
      pending.push(storage.forgetPlayer('p'))
      await Promise.all(pending)
      expect(await storage.snapshot('a')).toEqual(bytesOf('299'))
      expect((await storage.index('a'))?.seq).toBe(299)
      expect((await key).byteLength).toBe(32)
      expect(await storage.existingKey('p')).toBeNull()
    })

    test('no call settles before it returned', async () => {
      const order: string[] = []
      const pending = [
        storage.append('a', 0, bytesOf('x')).then(() => order.push('append')),
        storage.append('a b', 0, bytesOf('x')).catch(() => order.push('refusal')),
        storage.last('a').then(() => order.push('last')),
      ]
      order.push('returned')
      await Promise.all(pending)
      expect(order[0]).toBe('returned')
      expect(order.length).toBe(4)
    })

    test('close lets pending appends finish and takes no more; closing again is harmless', async () => {
      const pending = Array.from({ length: 20 }, (_, i) => storage.append(`room-${i}`, 0, bytesOf('x')))
      let appended = 0
      for (const append of pending) void append.then(() => (appended += 1))
      await storage.close()
      expect(appended).toBe(20)
      await storage.close()
      await expect(storage.append('late', 0, bytesOf('x'))).rejects.toThrow(NotStored)
      await expect(storage.read('room-1', 0, 1)).rejects.toThrow(StorageError)
      if (!reopen) return
      storage = await reopen()
      expect((await storage.rooms('', 100)).length).toBe(20)
    })

    test('all that was stored is there after reopening, and goes on from there', async () => {
      const position = await appendAll(storage, 'a', texts(0, 10))
      await storage.append('b', 0, bytesOf('x'), indexRow('b', { players: 3 }))
      await storage.putSnapshot('a', bytesOf('snap'))
      await storage.putRules('h', 'mafia', 1, 'source')
      const key = await storage.playerKey('p')
      await storage.playerKey('gone')
      await storage.forgetPlayer('gone')
      const epoch = await storage.nextEpoch()
      if (reopen) storage = await reopen()
      expect(await readTexts(storage, 'a')).toEqual(texts(0, 10))
      expect((await storage.last('a'))?.position).toBe(position)
      expect(await storage.rooms('', 10)).toEqual(['a', 'b'])
      expect(await storage.index('b')).toEqual(indexRow('b', { players: 3 }))
      expect(await storage.snapshot('a')).toEqual(bytesOf('snap'))
      expect(await storage.rules('h')).toEqual({ game: 'mafia', version: 1, source: 'source' })
      expect(await storage.playerKey('p')).toEqual(key)
      expect(await storage.existingKey('gone')).toBeNull()
      expect(await storage.nextEpoch()).toBeGreaterThan(epoch)
      await expect(storage.append('a', position - 1, bytesOf('late'))).rejects.toThrow(Fenced)
      await appendAll(storage, 'a', ['next'], position)
      expect(await readTexts(storage, 'a', position)).toEqual(['next'])
    })
  })
}
