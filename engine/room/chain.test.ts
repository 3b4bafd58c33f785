import { describe, expect, test } from 'vitest'
import { encodeRecord, recordChecksum } from '../../protocol/record.ts'
import { type Entry, StorageError } from '../log/log.ts'
import { type ChainedRecord, DamagedRoom, LOG_START, readChain } from './chain.ts'

const PAGE = 256

/** `count` records of room `a`, of one event each. */
const chainOf = (count: number): Entry[] => {
  const entries: Entry[] = []
  let previous = 0
  for (let first = 1; first <= count; first++) {
    const head = { room: 'a', kind: 'events' as const, epoch: 1, id: `e.${first}`, first, previous }
    const record = encodeRecord({ ...head, inputs: [first], rules: 'h' })
    previous = recordChecksum(record)
    entries.push({ position: first * 10, record })
  }
  return entries
}

/** A log of these entries that notes after which positions it was read, and fails where `fails` says so. */
const logOf = (entries: readonly Entry[], fails: (after: number) => boolean = () => false) => {
  const asked: number[] = []
  const read = async (_room: string, after: number, limit: number) => {
    asked.push(after)
    if (fails(after)) throw new StorageError('the disk failed')
    return entries.filter(({ position }) => position > after).slice(0, limit)
  }
  return { asked, read }
}

const pagesOf = async (entries: readonly Entry[]) => {
  const pages: ChainedRecord[][] = []
  for await (const page of readChain(logOf(entries), 'a', LOG_START)) pages.push(page)
  return pages
}

describe('readChain', () => {
  test.each([0, 1, PAGE, 2 * PAGE + 88])(
    'hands out all of %d records in order, each with where the log ends then',
    async (count) => {
      const entries = chainOf(count)
      const pages = await pagesOf(entries)
      expect(pages.flat().map(({ record }) => record.inputs[0])).toEqual(entries.map((_, i) => i + 1))
      expect(pages.flat().map(({ end }) => end)).toEqual(
        entries.map(({ position, record }, i) => ({ position, checksum: recordChecksum(record), seq: i + 1 })),
      )
    },
  )

  test('has the next page read while its caller works through one', async () => {
    const log = logOf(chainOf(2 * PAGE))
    const askedByThen: number[] = []
    for await (const _ of readChain(log, 'a', LOG_START)) askedByThen.push(log.asked.length)
    expect(askedByThen).toEqual([2, 3, 3])
    expect(log.asked).toEqual([0, PAGE * 10, 2 * PAGE * 10])
  })

  test('of a log that fails throws after the pages before, and harms nobody who gave up on them', async () => {
    const log = logOf(chainOf(2 * PAGE), (after) => after > 0)
    const pages: number[] = []
    const all = async () => {
      for await (const page of readChain(log, 'a', LOG_START)) pages.push(page.length)
    }
    await expect(all()).rejects.toThrow(StorageError)
    expect(pages).toEqual([PAGE])
    // An unhandled rejection would fail this run.
    for await (const _ of readChain(log, 'a', LOG_START)) break
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('throws DamagedRoom where a record is missing, also between pages', async () => {
    const entries = chainOf(PAGE + 2).toSpliced(PAGE, 1)
    await expect(pagesOf(entries)).rejects.toThrow(DamagedRoom)
  })
})
