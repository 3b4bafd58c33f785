import { expect, test } from 'vitest'
import { partitionOf } from '../../bus/subjects.ts'
import { OP } from '../../protocol/frames.ts'
import { Cluster } from './testing/cluster.ts'
import { gameOf } from './testing/games.ts'
import { errands, roomOf, seatsKept, startMatching } from './testing/matching.ts'

test.each(['a', 'b'])(
  'players at two gateways are matched into one room, which engine %s owns, and play there; a third gets another',
  async (owner) => {
    const { cluster, player } = await startMatching('a', 'b')
    const [ann, bob, cas] = [player(cluster.playerAt(owner)), player('bob', 1), player('cas')]
    const room = roomOf(await ann.match('pair'))
    expect(cluster.ownerOf(room)).toBe(owner)
    expect(roomOf(await bob.match('pair'))).toBe(room)
    expect(roomOf(await cas.match('pair'))).not.toBe(room)
    await ann.join(room, { role: 'player' })
    await bob.join(room, { role: 'player' })
    expect(ann.document(room).room).toMatchObject({ phase: 'playing', players: [ann.player, 'bob'] })
    await cluster.clock.advance(3_000)
    expect(roomOf(await player('dan', 1).match('pair'))).not.toBe(room)
    expect(cluster.errors).toEqual([])
    for (const { violations } of cluster.gateways) expect(violations).toEqual([])
  },
)

test('MATCHes at once never make two rooms where one would do, also while the first is being made elsewhere', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const clients = [player(cluster.playerAt('b')), player('bob', 1), player('cas'), player('dan', 1), player('eve')]
  cluster.storage.hold()
  for (const client of clients) client.send('', [[OP.match, 1, 'pair']])
  await cluster.clock.advance(10)
  cluster.storage.release()
  await cluster.clock.runUntil(() => clients.every((client) => client.frames(OP.ok).length === 1))
  const rooms = clients.map((client) => roomOf({ ok: client.frames(OP.ok)[0]?.[2] }))
  expect(rooms[1]).toBe(rooms[0])
  expect(rooms[3]).toBe(rooms[2])
  expect(new Set(rooms).size).toBe(3)
  expect(errands(cluster).length).toBeLessThanOrEqual(clients.length)
})

test('a public room that was created at another engine is found as soon as that has said so; the fullest first; what is not public is not', async () => {
  const { cluster, player } = await startMatching('a', 'b', 'c')
  const [atB, atC, hidden] = [cluster.roomAt('b'), cluster.roomAt('c'), cluster.roomAt('c', 1)]
  await player('bob').create(hidden, 'trio')
  await player('bob').create(atB, 'trio', undefined, { public: true })
  await player('cas', 1).create(atC, 'trio', undefined, { public: true })
  await player('cas').join(atC, { role: 'player' })
  await cluster.clock.advance(50)
  expect(roomOf(await player('ann').match('trio'))).toBe(atC)
  expect(roomOf(await player('dan').match('trio'))).toBe(atC)
  expect(roomOf(await player('eve', 1).match('trio'))).toBe(atB)
  const before = errands(cluster).filter((room) => room === atB).length
  expect(roomOf(await player('fay').match('trio', { size: 4 }))).not.toBe(atB)
  expect(errands(cluster).filter((room) => room === atB)).toHaveLength(before)
})

test('a room that has filled up since its engine spoke of it, or in which the asker is, is passed over for the next', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const [full, joined, free] = [cluster.roomAt('b'), cluster.roomAt('b', 1), cluster.roomAt('b', 2)]
  const [ann, bob] = [player('ann'), player('bob', 1)]
  for (const room of [full, joined, free]) await bob.create(room, 'trio', undefined, { public: true })
  for (const at of ['fay', 'gil']) await player(at).join(full, { role: 'player' })
  await ann.join(joined, { role: 'player' })
  await cluster.clock.advance(1_000)
  cluster.loses = (subject) => subject === 'seats'
  await player('hal').join(full, { role: 'player' })
  expect(roomOf(await ann.match('trio'))).toBe(free)
  expect(seatsKept(cluster, ['a', 'b'], 'ann').sort()).toEqual([joined, free].sort())
})

test('an engine that is not heard any more is sent nobody, and rooms of partitions that moved here are taken from memory', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const room = cluster.roomAt('b')
  await player('bob').create(room, 'pair', undefined, { public: true })
  await cluster.clock.advance(1_000)
  cluster.loses = (subject) => subject === 'seats'
  await cluster.clock.advance(3_000)
  expect(roomOf(await player(cluster.playerAt('a')).match('pair'))).not.toBe(room)
  await cluster.move([partitionOf(room)], 'b', 'a')
  await cluster.clock.advance(10)
  const [cas, dan] = [player('cas'), player('dan')]
  expect([roomOf(await cas.match('pair')), roomOf(await dan.match('pair'))]).toContain(room)
})

test('a room that exists under the id that a MATCH would give its own, and is full, is no end of it', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const ann = player(cluster.playerAt('b'))
  const room = cluster.roomOf(ann.player)
  const [bob, cas] = [player('bob'), player('cas')]
  await bob.create(room, 'pair', undefined, { public: true })
  await bob.join(room, { role: 'player' })
  await cas.join(room, { role: 'player' })
  const found = roomOf(await ann.match('pair'))
  expect(found).not.toBe(room)
  expect(await ann.ask('', [OP.match, 1, 'pair'])).toEqual({ ok: { room: found } })
})

test('a room that is to be made in a partition on its way to another engine is made there', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const ann = player(cluster.playerAt('a'))
  const partition = partitionOf(cluster.roomOf(ann.player))
  let n = 0
  while (partitionOf(`r${n}`) !== partition) n += 1
  const bob = player('bob', 1)
  await bob.create(`r${n}`, 'trio')
  // A commit under way holds the release up.
  cluster.storage.hold()
  bob.send(`r${n}`, [[OP.join, 2, `r${n}`]])
  await cluster.clock.runUntil(() => cluster.storage.waiting === 1)
  cluster.clock.after(500, () => cluster.storage.release())
  const moved = cluster.move([partition], 'a', 'b')
  const asked = ann.send('', [[OP.match, 1, 'trio']])
  await moved
  await cluster.gateways[0].answers(asked)
  expect(ann.frames(OP.err)).toEqual([])
  expect(ann.frames(OP.ok)).toEqual([[OP.ok, 1, { room: cluster.roomOf(ann.player) }]])
  expect(cluster.ownerOf(cluster.roomOf(ann.player))).toBe('b')
})

test('what is lost between engines is asked again: the seat is kept once', async () => {
  const { cluster, player } = await startMatching('a', 'b')
  const ann = player(cluster.playerAt('b'))
  const lost = new Set<string>()
  cluster.loses = (subject, message) => {
    const isOnce =
      (message.kind === 'command' || message.kind === 'ask' || message.kind === 'envelope') &&
      /^(cmd|ask|gw\.errands)/.test(subject)
    if (!isOnce || lost.has(message.kind) || (message.kind === 'envelope' && message.items.length === 0)) return false
    if (message.kind === 'command' && message.room === '') return false
    lost.add(message.kind)
    return true
  }
  const room = roomOf(await ann.match('pair'))
  expect(lost).toEqual(new Set(['ask', 'envelope', 'command']))
  expect(seatsKept(cluster, ['a', 'b'], ann.player)).toEqual([room])
})

test('`again` makes a room at the same engine, and those who played are in it', async () => {
  const over = gameOf('over', {
    head: 'players: [1, 1]',
    machine: `initial: 'on', states: { on: { on: { say: 'off' } }, off: { type: 'final' } }`,
    face: 'everyone: () => ({}), autoStart: true',
  })
  const cluster = await Cluster.start([over], (partition) => (partition % 2 ? 'a' : 'b'))
  for (const name of ['a', 'b']) {
    const room = cluster.roomAt(name)
    const ann = cluster.gateways[0].connect('ann')
    await ann.create(room, 'over')
    await ann.join(room, { role: 'player' })
    await ann.move(room, 'say')
    const next = roomOf(await ann.call(room, 'again'))
    expect(cluster.ownerOf(next)).toBe(name)
    expect(roomOf(await ann.call(room, 'again'))).toBe(next)
    expect(await ann.join(next)).toMatchObject({ ok: { role: 'player' } })
  }
})
