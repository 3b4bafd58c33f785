import { expect, test } from 'vitest'
import { virtualClock } from '../../test/virtual-clock.ts'
import { ledgerConformance } from './conformance.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { memoryLedger } from './memory.ts'

let shared: Ledger | null = null
ledgerConformance('the ledger in memory', {
  open: async () => {
    shared ??= memoryLedger({ clock: virtualClock() })
    return shared
  },
  close: async () => {
    shared = null
  },
})

test('a key disappears a minute after its last post, and not before; what was put stays', async () => {
  const clock = virtualClock()
  const ledger = memoryLedger({ clock })
  const entries: LedgerEntry[] = []
  await ledger.watch((entry) => entries.push(entry))
  await ledger.put('partition.1', 'a', 0)
  ledger.post('engine.a', '1')
  await clock.advance(59_000)
  ledger.post('engine.a', '2')
  await clock.advance(59_000)
  expect(entries.map(({ value }) => value)).toEqual(['a', '1', '2'])
  await clock.advance(2_000)
  expect(entries.at(-1)).toEqual({ key: 'engine.a', value: null, revision: 4 })
  const later: LedgerEntry[] = []
  await ledger.watch((entry) => later.push(entry))
  expect(later).toEqual([{ key: 'partition.1', value: 'a', revision: 1 }])
})
