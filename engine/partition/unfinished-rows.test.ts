import { expect, test } from 'vitest'
import { virtualClock } from '../../test/virtual-clock.ts'
import { indexRow as row } from '../log/conformance-values.ts'
import type { IndexRow } from '../log/log.ts'
import { Slots } from '../log/slots.ts'
import { unfinishedRows } from './unfinished-rows.ts'

const rows = Array.from({ length: 1_250 }, (_, n) => row(`room-${String(n).padStart(4, '0')}`))

/** What was listed, and how often the store was asked for it: it fails at these questions. */
const listed = async (exclusive: boolean, ...fails: number[]) => {
  let asked = 0
  const storage = {
    exclusive,
    async listIndex(_: unknown, after: string, limit: number): Promise<IndexRow[]> {
      asked += 1
      if (fails.includes(asked)) throw new Error('no leader')
      return rows.filter(({ room }) => room > after).slice(0, limit)
    },
  }
  const clock = virtualClock()
  const reports: string[] = []
  const ports = { storage, clock, report: (_: string, message: string) => void reports.push(message) }
  const all: IndexRow[] = []
  const read = async () => {
    for await (const each of unfinishedRows(new Set([7]), new Slots(1), ports, () => false)) all.push(each)
  }
  let isDone = false
  void read().then(() => {
    isDone = true
  })
  await clock.runUntil(() => isDone, 10_000)
  return { all, asked, reports }
}

test('a long list is read in pieces, and where engines share a store, which gives it whole, at once', async () => {
  expect(await listed(true)).toEqual({ all: rows, asked: 3, reports: [] })
  expect(await listed(false)).toEqual({ all: rows, asked: 1, reports: [] })
})

test('a store that does not answer is asked again, and what it gave is not read twice', async () => {
  const { all, asked, reports } = await listed(true, 1, 3)
  expect(all).toEqual(rows)
  expect(asked).toBe(5)
  expect(reports).toEqual(Array(2).fill(expect.stringContaining('no leader')))
})
