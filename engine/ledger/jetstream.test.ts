import { jetstreamManager } from '@nats-io/jetstream'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { NatsLink } from '../../bus/nats-connection.ts'
import { connectTo } from '../../bus/testing/nats.ts'
import { realClock } from '../../cli/real.ts'
import { type NatsServer, startNats } from '../../test/nats-server.ts'
import { ledgerConformance } from './conformance.ts'
import { type JetStreamLedgerOptions, openJetStreamLedger } from './jetstream.ts'
import { CHANGES_KEPT, type Ledger, type LedgerEntry, LedgerSilent } from './ledger.ts'

let server: NatsServer
let used = 0
let links: NatsLink[] = []

beforeAll(async () => {
  server = await startNats()
})
afterAll(() => server.stop())
afterEach(async () => {
  await Promise.all(links.map((link) => link.close()))
  links = []
})

const linkTo = async (...to: readonly NatsServer[]): Promise<NatsLink> => {
  const link = await connectTo(to)
  links.push(link)
  return link
}
const open = async (prefix: string, options: Partial<JetStreamLedgerOptions> = {}): Promise<Ledger> =>
  openJetStreamLedger({ link: await linkTo(server), clock: realClock, replicas: 1, prefix, ...options })
const fresh = () => `t${process.pid}-${used++}`
const watched = async (ledger: Ledger): Promise<LedgerEntry[]> => {
  const entries: LedgerEntry[] = []
  await ledger.watch((entry) => entries.push(entry))
  return entries
}
const valuesOf = (entries: readonly LedgerEntry[], of: string) =>
  entries.filter(({ key }) => key === of).map(({ value }) => value)
const rise = (entries: readonly LedgerEntry[]) => {
  const revisions = entries.map(({ revision }) => revision)
  expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b))
}

let prefix = fresh()
ledgerConformance('the ledger on JetStream', {
  open: () => open(prefix),
  close: async () => {
    prefix = fresh()
  },
})

test('a key disappears some time after its last post, and who watches is told; what was put stays', async () => {
  const name = fresh()
  const ledger = await open(name, { fadesAfterMs: 4_000 })
  const entries = await watched(ledger)
  await ledger.put('partition.1', 'a', 0)
  for (let i = 0; i < 3; i++) {
    ledger.post('engine.a', `${i}`)
    // Each time shorter than a key stays, and longer in all: it must not disappear meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
  }
  expect(valuesOf(entries, 'engine.a')).toEqual(['0', '1', '2'])
  await vi.waitFor(() => expect(valuesOf(entries, 'engine.a')).toEqual(['0', '1', '2', null]), { timeout: 30_000 })
  await vi.waitFor(async () => expect((await watched(ledger)).map(({ key }) => key)).toEqual(['partition.1']), {
    timeout: 30_000,
  })
})

test('in a bucket that is made anew revisions go on above those of the one before: the log holds them as epochs', async () => {
  const name = fresh()
  const ledger = await open(name)
  let last = 0
  for (let n = 0; n < 20; n++) last = (await ledger.put('partition.1', `e${n}`, last)) ?? expect.fail('it fits')
  const manager = await jetstreamManager((await linkTo(server)).connection)
  await manager.streams.delete(`KV_${name}_ledger`)
  expect(await (await open(name)).put('partition.1', 'a', 0)).toBeGreaterThan(last)
})

test('who lagged behind is told the last changes of each key, in order', async () => {
  const name = fresh()
  const link = await linkTo(server)
  const ledger = await open(name, { link })
  const other = await open(name)
  const entries = await watched(ledger)
  await link.connection.reconnect()
  for (let i = 1; i <= 30; i++) other.post('engine.a', `${i}`)
  await vi.waitFor(() => expect(valuesOf(entries, 'engine.a').at(-1)).toBe('30'), { timeout: 30_000 })
  const last = Array.from({ length: CHANGES_KEPT }, (_, i) => `${30 - CHANGES_KEPT + 1 + i}`)
  expect(valuesOf(entries, 'engine.a').slice(-CHANGES_KEPT)).toEqual(last)
  rise(entries)
})

test('a bucket that was made with other settings is refused with what to do; the same ones are fine', async () => {
  const name = fresh()
  await Promise.all([open(name), open(name), open(name)])
  await expect(open(name, { replicas: 3 })).rejects.toThrow(/has 1 copies and 3 are asked for: start with --durability/)
  const manager = await jetstreamManager((await linkTo(server)).connection)
  await manager.streams.update(`KV_${name}_ledger`, { max_msgs_per_subject: 1 })
  await expect(open(name)).rejects.toThrow(/keeps 1 changes of each key where Madang needs 8/)
  await expect(open('a.b')).rejects.toThrow(/letters, digits/)
})

test('a server that is killed and started again on the same store: the watch goes on by itself, with no change left out or told twice; writes meanwhile are refused', async () => {
  await using own = await startNats()
  const link = await linkTo(own)
  const ledger = await openJetStreamLedger({ link, clock: realClock, replicas: 1 })
  const entries = await watched(ledger)
  const first = (await ledger.put('partition.1', 'a', 0)) ?? 0
  await vi.waitFor(() => expect(entries).toHaveLength(1), { timeout: 30_000 })
  await own.kill()
  await vi.waitFor(() => expect(link.isConnected).toBe(false), { timeout: 30_000 })
  await expect(ledger.put('partition.1', 'b', first)).rejects.toThrow(LedgerSilent)
  for (let i = 0; i < 20; i++) ledger.post('engine.a', `${i}`)
  await own.restart()
  await vi.waitFor(async () => expect(await ledger.put('partition.1', 'c', first)).not.toBeNull(), { timeout: 30_000 })
  ledger.post('engine.a', 'after')
  await vi.waitFor(() => expect(entries.map(({ value }) => value)).toEqual(['a', 'c', 'after']), { timeout: 30_000 })
  rise(entries)
})

test('a server that stands still: a put gives up after 2 s, and when the server goes on the watch does too', async () => {
  await using own = await startNats()
  const link = await linkTo(own)
  const ledger = await openJetStreamLedger({ link, clock: realClock, replicas: 1 })
  const entries = await watched(ledger)
  const first = (await ledger.put('partition.1', 'a', 0)) ?? 0
  await own.pause()
  const from = performance.now()
  await expect(ledger.put('partition.1', 'b', first)).rejects.toThrow(LedgerSilent)
  // Without that it would be the 5 s of NATS's own client.
  expect(performance.now() - from).toBeLessThan(4_500)
  // Long enough for the connection to be given up.
  await vi.waitFor(() => expect(link.isConnected).toBe(false), { timeout: 30_000 })
  own.resume()
  let beat = 0
  await vi.waitFor(
    () => {
      ledger.post('engine.a', `${beat++}`)
      expect(valuesOf(entries, 'engine.a').length).toBeGreaterThan(2)
    },
    { timeout: 30_000, interval: 200 },
  )
  rise(entries)
  // The put that was not answered was written, or was not: the watch tells.
  expect([['a'], ['a', 'b']]).toContainEqual(valuesOf(entries, 'partition.1'))
})

test('a watch whose consumer is gone, as with a server of the cluster, is noticed within 2 s and goes on', async () => {
  const name = fresh()
  const ledger = await open(name)
  const entries = await watched(ledger)
  const manager = await jetstreamManager((await linkTo(server)).connection)
  const stream = `KV_${name}_ledger`
  await ledger.put('partition.1', 'a', 0)
  for await (const { name: consumer } of manager.consumers.list(stream))
    await manager.consumers.delete(stream, consumer)
  await ledger.put('partition.2', 'b', 0)
  await vi.waitFor(() => expect(entries.map(({ value }) => value)).toEqual(['a', 'b']), { timeout: 6_000 })
})

test('an end while the server is away ends the watch for good', async () => {
  await using own = await startNats()
  const link = await linkTo(own)
  const ledger = await openJetStreamLedger({ link, clock: realClock, replicas: 1 })
  const ended: LedgerEntry[] = []
  const end = await ledger.watch((entry) => ended.push(entry))
  await own.kill()
  await vi.waitFor(() => expect(link.isConnected).toBe(false), { timeout: 30_000 })
  end()
  await own.restart()
  await vi.waitFor(async () => expect(await ledger.put('partition.1', 'c', 0)).not.toBeNull(), { timeout: 30_000 })
  const entries = await watched(ledger)
  expect(entries).toHaveLength(1)
  expect(ended).toEqual([])
})
