import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { MediaPolicy } from '../bus/media-messages.ts'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../test/property.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import type { Source } from './sources.ts'
import { Client } from './testing/client.ts'
import { closed, open, playerOf, spectatorOf } from './testing/engine.ts'
import { endAll, startNode } from './testing/node.ts'

afterEach(endAll)

const PLAYERS = ['ann', 'bob', 'cyd'] as const
const SOURCES = ['camera', 'microphone', 'screen', 'screen-audio'] as const satisfies Source[]

type Started = ReturnType<typeof startNode>

/** Three players who publish everything, and one spectator; each receives all that it can get. */
const fullTable = async (started: Started) => {
  const { engine, links } = started
  await engine.lease(open(...PLAYERS))
  const clients = [...PLAYERS.map((id) => playerOf(id)), spectatorOf('sam')].map((who) => new Client(engine, who))
  const peers = await Promise.all(clients.map(async (client) => (await client.join()).peer))
  const tracks: { owner: string; source: Source; track: string }[] = []
  for (const client of clients.filter(({ who }) => who.role === 'player'))
    for (const source of SOURCES) tracks.push({ owner: client.who.player, source, track: await client.publish(source) })
  const received: { name: string; consumer: string; track: string }[] = []
  for (const { who } of clients)
    for (const { owner, source, track } of tracks) {
      if (owner === who.player) continue
      const consumer = await new Client(engine, who).watch(track)
      received.push({ name: `${who.player} ${owner} ${source}`, consumer, track })
    }
  /** What flows now: who receives whose source, by the packets that come out. */
  const flowing = async () => {
    const before = new Map(received.map(({ consumer }) => [consumer, links.received(consumer)]))
    for (const { track } of tracks) for (let i = 0; i < 3; i++) links.push(track)
    await links.drained()
    return received
      .filter(({ consumer }) => links.received(consumer) > (before.get(consumer) ?? 0))
      .map(({ name }) => name)
  }
  return { ...started, clients, peers, tracks, received, flowing }
}

/** What should flow: who receives whose source. */
const grantedBy = ({ players, viewers, spectators }: MediaPolicy): string[] =>
  [...PLAYERS, 'sam'].flatMap((viewer) =>
    PLAYERS.filter((owner) => owner !== viewer && players.includes(owner)).flatMap((owner) =>
      SOURCES.filter((source) => {
        const row = viewer === 'sam' ? spectators : viewers[viewer]
        return (source === 'camera' || source === 'screen' ? row?.see : row?.hear)?.includes(owner)
      }).map((source) => `${viewer} ${owner} ${source}`),
    ),
  )

const row = fc.record({ see: fc.subarray([...PLAYERS]), hear: fc.subarray([...PLAYERS]) })
const policies: fc.Arbitrary<MediaPolicy> = fc.record({
  players: fc.subarray([...PLAYERS], { minLength: 2 }),
  viewers: fc.tuple(row, row, row).map(([ann, bob, cyd]) => ({ ann, bob, cyd })),
  spectators: row,
})

test(
  'after each policy, packets come out for whom it grants them, from whom and of what kind, and for nobody else',
  async () => {
    const table = await fullTable(startNode())
    expect((await table.flowing()).sort()).toEqual(grantedBy(open(...PLAYERS)).sort())
    await fc.assert(
      fc.asyncProperty(policies, async (policy) => {
        await table.engine.lease(policy)
        expect((await table.flowing()).sort()).toEqual(grantedBy(policy).sort())
      }),
      { numRuns: 40, ...TOLD_WITH_SEED },
    )
  },
  PROPERTY_TEST_MS,
)

test('the message that takes a grant away is the last one before nothing comes out: packets behind it are not forwarded', async () => {
  const table = await fullTable(startNode())
  await table.flowing()
  const before = table.received.map(({ consumer }) => table.links.received(consumer))
  void table.engine.lease(closed(...PLAYERS))
  // The bus hands it over in a microtask: what is sent from then on comes after it.
  await Promise.resolve()
  for (const { track } of table.tracks) for (let i = 0; i < 20; i++) table.links.push(track)
  await table.links.drained()
  expect(table.received.map(({ consumer }) => table.links.received(consumer))).toEqual(before)
})

test('without a policy nothing flows, nobody knows of anybody, and whoever publishes is told that nobody receives it', async () => {
  const { engine } = startNode()
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  const { peer } = await ann.join()
  const joined = await bob.join()
  const track = await ann.publish('camera')
  expect(joined.state.tracks).toEqual([])
  expect((await bob.state(joined.peer)).tracks).toEqual([])
  expect((await ann.state(peer)).mine).toEqual([{ track, source: 'camera', muted: false, unseen: true }])
  await expect(bob.watch(track)).rejects.toThrow('forbidden')
})

test('5 s without a lease: nothing flows; the next lease brings it back', async () => {
  const clock = virtualClock()
  const table = await fullTable(startNode({ clock }))
  expect(await table.flowing()).not.toEqual([])
  table.engine.fallSilent()
  await clock.advance(4_990)
  expect(await table.flowing()).not.toEqual([])
  await clock.advance(20)
  expect(await table.flowing()).toEqual([])
  await table.engine.lease(open(...PLAYERS))
  expect((await table.flowing()).sort()).toEqual(grantedBy(open(...PLAYERS)).sort())
})

test('repeated every second without its policy, a lease goes on', async () => {
  const clock = virtualClock()
  const table = await fullTable(startNode({ clock }))
  for (let s = 0; s < 10; s++) {
    await clock.advance(1_000)
    for (const { who } of table.clients) await table.engine.call(who, 'stats')
  }
  expect((await table.flowing()).sort()).toEqual(grantedBy(open(...PLAYERS)).sort())
})

test('what has a lower epoch is not heard: its lease changes nothing, its calls get no answer', async () => {
  const clock = virtualClock()
  const started = startNode({ clock })
  started.engine.epoch = 2
  const table = await fullTable(started)
  const { acks } = table.engine
  const heard = acks.length
  table.engine.send({ epoch: 1, seq: 9, policy: closed(...PLAYERS) })
  await Promise.resolve()
  expect((await table.flowing()).sort()).toEqual(grantedBy(open(...PLAYERS)).sort())
  expect(acks.length).toBe(heard)
})

test('a higher epoch begins with nothing: until its policy is there, that of the old one does not count', async () => {
  const table = await fullTable(startNode())
  const hash = JSON.stringify(open(...PLAYERS))
  const acked = table.engine.acked()
  table.engine.send({ epoch: 2, seq: 1, hash, policy: null })
  expect((await acked).hash).toBe(null)
  expect(await table.flowing()).toEqual([])
})

test('a lease for a policy that was lost on the way: nothing flows, and the answer says which one is known', async () => {
  const table = await fullTable(startNode())
  const acked = table.engine.acked()
  table.engine.send({ seq: 99, hash: 'another', policy: null })
  expect((await acked).hash).toBe(JSON.stringify(open(...PLAYERS)))
  expect(await table.flowing()).toEqual([])
})

test('an older lease of the same epoch that arrives late changes nothing', async () => {
  const table = await fullTable(startNode())
  await table.engine.lease(closed(...PLAYERS))
  table.engine.send({ seq: 1, policy: open(...PLAYERS) })
  await Promise.resolve()
  expect(await table.flowing()).toEqual([])
})

test('private: nothing that one is told or can ask depends on what one may not receive', async () => {
  const { engine } = startNode()
  const players = ['mia', 'max', 'cyd']
  const night: MediaPolicy = {
    players,
    viewers: { mia: { see: ['max'], hear: ['max'] }, max: { see: ['mia'], hear: ['mia'] }, cyd: { see: [], hear: [] } },
    spectators: { see: [], hear: [] },
  }
  await engine.lease(open(...players))
  const [mia, max, cyd] = players.map((id) => new Client(engine, playerOf(id)))
  if (!mia || !max || !cyd) throw new Error('three players')
  const { peer: miaPeer } = await mia.join()
  await max.join()
  const { peer } = await cyd.join()
  const track = await mia.publish('camera')
  await cyd.publish('camera')
  const consumer = await cyd.watch(track)
  await engine.lease(night)
  const asleep = await cyd.state(peer)
  const told = cyd.states.length
  const asks = async () => [
    await engine.call(cyd.who, 'stats'),
    await engine.call(cyd.who, 'consume', { track, rtpCapabilities: { codecs: [] } }),
    await engine.call(cyd.who, 'consume', { track: 'nothing', rtpCapabilities: { codecs: [] } }),
    await engine.call(cyd.who, 'resume', { consumer }),
    await engine.call(cyd.who, 'layers', { consumer, spatial: 1 }),
    await engine.call(cyd.who, 'suspend', { consumer }),
    await engine.call(cyd.who, 'mute', { track, muted: true }),
  ]
  const first = await asks()
  expect(first[1]).toEqual(first[2])

  // What the mafia does by night: mute, publish, nobody may receive them, one goes.
  await mia.call('mute', { track, muted: true })
  await max.publish('microphone')
  await engine.lease({ ...night, viewers: { ...night.viewers, max: { see: [], hear: [] } } })
  expect((await mia.state(miaPeer)).mine[0]?.unseen).toBe(true)
  await mia.call('close', { track })
  await max.call('leave')

  const rest = await asks()
  const withoutTraffic = (answers: unknown[]) => JSON.stringify(answers).replaceAll(/"(bytes|bitrate)":\d+/g, '')
  expect(withoutTraffic(rest)).toBe(withoutTraffic(first))
  expect(await cyd.state(peer)).toEqual(asleep)
  expect(cyd.states.length).toBe(told)
})

test('a track that nobody may receive is paused at its producer and its owner told; both end when somebody may', async () => {
  const { engine, links } = startNode()
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await engine.lease(open('ann', 'bob'))
  const { peer } = await ann.join()
  await bob.join()
  const track = await ann.publish('camera')
  const isPaused = async () => (await links.producers.get(track)?.dump())?.paused
  expect(await isPaused()).toBe(false)
  await engine.lease(closed('ann', 'bob'))
  expect(await isPaused()).toBe(true)
  expect((await ann.state(peer)).mine[0]?.unseen).toBe(true)
  await engine.lease(open('ann', 'bob'))
  expect(await isPaused()).toBe(false)
  expect((await ann.state(peer)).mine[0]?.unseen).toBe(false)
})

test('a muted track is not forwarded, and those who know it are told', async () => {
  const table = await fullTable(startNode())
  const [ann, bob] = table.clients
  const track = table.tracks.find(({ owner, source }) => owner === 'ann' && source === 'microphone')?.track
  await ann?.call('mute', { track, muted: true })
  expect((await table.flowing()).filter((name) => name.endsWith('ann microphone'))).toEqual([])
  expect((await bob?.state(table.peers[1] ?? ''))?.tracks.find((each) => each.track === track)?.muted).toBe(true)
  await ann?.call('mute', { track, muted: false })
  expect((await table.flowing()).filter((name) => name.endsWith('ann microphone'))).toHaveLength(3)
})

test('what a client suspended stays so through policies that take it and give it back', async () => {
  const table = await fullTable(startNode())
  const own = table.received.find(({ name }) => name === 'bob ann camera')
  await table.clients[1]?.call('suspend', { consumer: own?.consumer })
  await table.engine.lease(closed(...PLAYERS))
  await table.engine.lease(open(...PLAYERS))
  expect(await table.flowing()).not.toContain('bob ann camera')
  await table.clients[1]?.call('resume', { consumer: own?.consumer })
  expect(await table.flowing()).toContain('bob ann camera')
})
