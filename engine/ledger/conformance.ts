import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Ledger, LedgerEntry } from './ledger.ts'

export interface LedgerUnderTest {
  /** A ledger of this kind that is empty at first. All that one test opens are one and the same. */
  open(): Promise<Ledger>
  /** After each test. */
  close?(): Promise<void>
}

/** Declares the tests that every ledger passes. They take from it no more than ledger.ts promises, while nothing fails. */
export const ledgerConformance = (name: string, kind: LedgerUnderTest): void => {
  describe(`${name} keeps what ledger.ts promises`, () => {
    let ledger: Ledger
    let other: Ledger
    const heard = (entries: readonly LedgerEntry[], key: string) => entries.filter((entry) => entry.key === key)
    const watched = async (from: Ledger): Promise<LedgerEntry[]> => {
      const entries: LedgerEntry[] = []
      await from.watch((entry) => entries.push(entry))
      return entries
    }
    const until = (entries: readonly LedgerEntry[], key: string, value: string) =>
      vi.waitFor(() => expect(heard(entries, key).at(-1)?.value).toBe(value), { timeout: 20_000 })
    /** Writes for certain. */
    const written = async (to: Ledger, key: string, value: string, after: number): Promise<number> => {
      const revision = await to.put(key, value, after)
      expect(revision).not.toBeNull()
      return revision ?? 0
    }

    beforeEach(async () => {
      ledger = await kind.open()
      other = await kind.open()
    })
    afterEach(async () => kind.close?.())

    test('a put at the last revision writes, and its revision is above all before', async () => {
      const first = await written(ledger, 'partition.1', 'a', 0)
      const second = await written(other, 'partition.2', 'b', 0)
      const third = await written(other, 'partition.1', 'c', first)
      expect(first).toBeGreaterThan(0)
      expect(second).toBeGreaterThan(first)
      expect(third).toBeGreaterThan(second)
    })

    test('a put at another revision than the last of its key writes nothing, and is told so', async () => {
      const entries = await watched(ledger)
      const first = await written(ledger, 'partition.1', 'a', 0)
      expect(await other.put('partition.1', 'b', 0)).toBeNull()
      expect(await other.put('partition.2', 'b', first)).toBeNull()
      const second = await written(ledger, 'partition.1', 'c', first)
      expect(await other.put('partition.1', 'd', first)).toBeNull()
      expect(await other.put('partition.1', 'd', second + 1)).toBeNull()
      await written(ledger, 'partition.3', 'end', 0)
      await until(entries, 'partition.3', 'end')
      expect(entries.map(({ key, value }) => [key, value])).toEqual([
        ['partition.1', 'a'],
        ['partition.1', 'c'],
        ['partition.3', 'end'],
      ])
    })

    test('of those who put at the same revision at once exactly one writes', async () => {
      const doors = [ledger, other]
      const puts = Array.from({ length: 20 }, (_, i) => (doors[i % 2] ?? ledger).put('partition.1', `${i}`, 0))
      const results = await Promise.all(puts)
      expect(results.filter((revision) => revision !== null)).toHaveLength(1)
      const entries = await watched(ledger)
      expect(entries.map(({ value }) => value)).toEqual([`${results.findIndex((revision) => revision !== null)}`])
    })

    test('an empty value is a value', async () => {
      const entries = await watched(ledger)
      const first = await written(ledger, 'partition.1', '', 0)
      await vi.waitFor(() => expect(entries).toEqual([{ key: 'partition.1', value: '', revision: first }]), {
        timeout: 20_000,
      })
      expect(await ledger.put('partition.1', 'a', 0)).toBeNull()
    })

    test('what is there is told before watch resolves, the newest value of each key, in the order of revisions', async () => {
      const first = await written(ledger, 'partition.1', 'a', 0)
      const second = await written(ledger, 'partition.2', 'b', 0)
      const third = await written(ledger, 'partition.1', 'c', first)
      expect(await watched(other)).toEqual([
        { key: 'partition.2', value: 'b', revision: second },
        { key: 'partition.1', value: 'c', revision: third },
      ])
    })

    test('of nothing nothing is told', async () => {
      expect(await watched(ledger)).toEqual([])
    })

    test('every watcher is told each change once, in one order, by rising revision', async () => {
      const seen = [await watched(ledger), await watched(other)]
      let [one, two] = [0, 0]
      for (let i = 0; i < 20; i++) {
        one = await written(ledger, 'partition.1', `${i}`, one)
        two = await written(other, 'partition.2', `${i}`, two)
        ledger.post('engine.a', `${i}`)
      }
      await written(ledger, 'partition.3', 'end', 0)
      for (const entries of seen) {
        await until(entries, 'partition.3', 'end')
        await until(entries, 'engine.a', '19')
        const revisions = entries.map(({ revision }) => revision)
        expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
        expect(heard(entries, 'partition.1').at(-1)).toEqual({ key: 'partition.1', value: '19', revision: one })
        expect(heard(entries, 'partition.2').at(-1)).toEqual({ key: 'partition.2', value: '19', revision: two })
      }
      expect(seen[0]).toEqual(seen[1])
    })

    test('one who is told of a change was told of everything written before it', async () => {
      const entries = await watched(other)
      for (let i = 1; i <= 50; i++) await written(ledger, `partition.${i}`, 'a', 0)
      await until(entries, 'partition.50', 'a')
      expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: 50 }, (_, i) => `partition.${i + 1}`))
    })

    test('a post is told, to who posted too, and those of one writer keep their order', async () => {
      const [own, theirs] = [await watched(ledger), await watched(other)]
      for (let i = 0; i < 5; i++) ledger.post('engine.a', `${i}`)
      for (const entries of [own, theirs]) {
        await until(entries, 'engine.a', '4')
        const values = entries.map(({ value }) => Number(value))
        expect(values).toEqual(values.toSorted((a, b) => a - b))
      }
    })

    test('nothing is told inside post or put', async () => {
      let writing = false
      const during: boolean[] = []
      await ledger.watch(() => during.push(writing))
      writing = true
      ledger.post('engine.a', '1')
      const put = ledger.put('partition.1', 'a', 0)
      writing = false
      await put
      await vi.waitFor(() => expect(during).toEqual([false, false]), { timeout: 20_000 })
    })

    test('who ended the watch is told nothing more, also what was written before', async () => {
      const others = await watched(other)
      const entries: LedgerEntry[] = []
      const end = await ledger.watch((entry) => entries.push(entry))
      await written(ledger, 'partition.1', 'a', 0)
      await until(entries, 'partition.1', 'a')
      ledger.post('engine.a', '1')
      end()
      await written(ledger, 'partition.2', 'b', 0)
      await until(others, 'partition.2', 'b')
      expect(heard(entries, 'partition.2')).toEqual([])
      expect(heard(entries, 'engine.a')).toEqual([])
    })

    test('a watch that begins while others write misses nothing and doubles nothing', async () => {
      const writing = (async () => {
        for (let i = 0; i < 60; i++) await written(ledger, `partition.${i}`, `${i}`, 0)
      })()
      const entries = await watched(other)
      await writing
      await until(entries, 'partition.59', '59')
      expect(entries.map(({ key }) => key)).toEqual(Array.from({ length: 60 }, (_, i) => `partition.${i}`))
    })
  })
}
