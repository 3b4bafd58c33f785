import { expect, test } from 'vitest'
import type { Message } from '../../bus/messages.ts'
import { matchPartition, partitionOf } from '../../bus/subjects.ts'
import { OP } from '../../protocol/frames.ts'
import { isErrands } from './errands.ts'
import { Cluster, sessionOf } from './testing/cluster.ts'
import { gameOf } from './testing/games.ts'
import type { ScriptedClient } from './testing/gateway.ts'

const table = (id: string, players: string, more = ', autoStart: true') =>
  gameOf(id, {
    before: `const opts = { '~standard': { version: 1, vendor: 'test', validate: (v) => ({ value: { size: v?.size ?? 3 } }) } }`,
    head: `players: ${players}, options: opts`,
    machine: 'context: {}',
    face: `everyone: () => ({})${more}`,
  })
const GAMES = [table('pair', '[2, 2]'), table('trio', '[3, 3]'), table('crew', '[2, 3]', '')]

/** Engine a has the queues of all games; the other partitions are shared out evenly. */
const share =
  (...names: string[]) =>
  (partition: number): string =>
    GAMES.some(({ runner }) => matchPartition(runner.id) === partition) ? 'a' : (names[partition % names.length] ?? 'a')

const world = async (...names: string[]) => {
  const cluster = await Cluster.start(GAMES, share(...names))
  const player = (id: string, at: 0 | 1 = 0): ScriptedClient =>
    cluster.gateways[at].connect(id, { session: sessionOf(id) })
  return { cluster, player }
}

const roomOf = (reply: object): string => {
  if ('ok' in reply && typeof reply.ok === 'object' && reply.ok !== null && 'room' in reply.ok)
    return String(reply.ok.room)
  throw new Error(`no room: ${JSON.stringify(reply)}`)
}

/** How many seats are logged for a player, over all engines. */
const seatsKept = (cluster: Cluster, names: readonly string[], player: string): string[] =>
  names.flatMap((name) =>
    [...cluster.engine(name).rooms.live()].flatMap(({ room, state }) =>
      Object.hasOwn(state.windows, player) ? [room] : [],
    ),
  )

/** The rooms that engines asked each other for seats in, one for each time. */
const errands = (cluster: Cluster): string[] =>
  cluster.published.flatMap(({ message }) =>
    message.kind === 'command' && isErrands(message.gateway) ? [message.room] : [],
  )

/** A public room of trio at engine c, with a player in it. */
const betterRoom = async (cluster: Cluster): Promise<string> => {
  const room = cluster.roomAt('c')
  const bob = cluster.gateways[1].connect('bob')
  await bob.create(room, 'trio', undefined, { public: true })
  await bob.join(room, { role: 'player' })
  await cluster.clock.advance(1_100)
  return room
}

/** ann has been matched by the queue of trio, at engine a, into a room at b. */
const seatedAtB = async () => {
  const { cluster, player } = await world('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  return { cluster, player, ann, room: roomOf(await ann.match('trio')) }
}

const QUEUE = matchPartition('trio')

/** Engines a and b are gone, c has the queue, and there is a new engine d: returns the partitions that nobody has yet. */
const bereave = async (cluster: Cluster): Promise<number[]> => {
  await cluster.add('d')
  const orphans = [...cluster.kill('a'), ...cluster.kill('b')]
  cluster.give('c', [QUEUE])
  return orphans.filter((partition) => partition !== QUEUE)
}

test.each(['a', 'b'])(
  'players at two gateways are matched into one room, which engine %s owns, and play there; a third gets another',
  async (owner) => {
    const { cluster, player } = await world('a', 'b')
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
  const { cluster, player } = await world('a', 'b')
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
  const { cluster, player } = await world('a', 'b', 'c')
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
  const { cluster, player } = await world('a', 'b')
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
  const { cluster, player } = await world('a', 'b')
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

test.each(['a', 'b'])(
  'P2 exactly once: a MATCH sent again after the queue moved gets the same room, which engine %s owns, though better ones came',
  async (owner) => {
    const { cluster, player } = await world('a', 'b', 'c')
    const ann = player(cluster.playerAt(owner))
    const room = roomOf(await ann.match('trio'))
    const better = await betterRoom(cluster)
    await cluster.move([QUEUE], 'a', 'c')
    expect(await player(ann.player, 1).match('trio')).toEqual({ ok: { room } })
    expect(await player(ann.player, 1).match('trio', { size: 9 })).toMatchObject({ err: 'conflict' })
    expect(seatsKept(cluster, ['a', 'b', 'c'], ann.player)).toEqual([room])
    expect(await ann.ask('', [OP.match, 2, 'trio'])).toEqual({ ok: { room: better } })
  },
)

test('P2 exactly once: a MATCH whose seat was still being logged when the queue moved is not seated a second time', async () => {
  const { cluster, player } = await world('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  cluster.storage.hold()
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => cluster.storage.waiting === 1)
  await cluster.move([QUEUE], 'a', 'c')
  const again = player(ann.player, 1)
  const id = again.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.storage.release()
  await cluster.gateways[1].answers(id)
  const [room] = seatsKept(cluster, ['a', 'b', 'c'], ann.player)
  expect(cluster.ownerOf(room ?? '')).toBe('b')
  expect(again.frames(OP.ok)).toEqual([[OP.ok, 1, { room }]])
  expect(seatsKept(cluster, ['a', 'b', 'c'], ann.player)).toEqual([room])
})

test('P2 exactly once: where a new queue cannot ask who may have seated the asker, it refuses; once it can, the room is the same', async () => {
  const { cluster, player, ann, room } = await seatedAtB()
  const orphans = await bereave(cluster)
  const again = player(ann.player, 1)
  expect(await again.match('trio')).toMatchObject({ err: 'unavailable' })
  // A new owner, which has not read its rooms yet.
  cluster.storage.full = true
  cluster.give('d', orphans)
  again.ref = 0
  const id = again.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(2_500)
  expect(again.frames(OP.ok)).toEqual([])
  cluster.storage.full = false
  await cluster.gateways[1].answers(id)
  expect(again.frames(OP.ok)).toEqual([[OP.ok, 1, { room }]])
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: a room that refused the asker is not where a new queue looks, nor the same one again', async () => {
  const { cluster, player } = await world('b', 'c')
  const [full, free] = [cluster.roomAt('b'), cluster.roomAt('c')]
  for (const room of [full, free]) await player('bob').create(room, 'crew', undefined, { public: true })
  const [ann, dan, hal] = [player('ann'), player('dan'), player('hal')]
  await player('fay').join(full, { role: 'player' })
  await cluster.clock.advance(1_000)
  cluster.loses = (subject) => subject === 'seats'
  await player('gil').join(full, { role: 'player' })
  await hal.join(full, { role: 'player' })
  expect(roomOf(await ann.match('crew'))).toBe(free)
  expect(roomOf(await dan.match('crew'))).toBe(free)
  expect(errands(cluster)).toEqual([full, free, free])
  await hal.leave(full)
  cluster.loses = () => false
  cluster.give('b', cluster.kill('a'))
  await cluster.clock.advance(1_000)
  expect(await ann.ask('', [OP.match, 1, 'crew'])).toEqual({ ok: { room: free } })
  expect(seatsKept(cluster, ['b', 'c'], 'ann')).toEqual([free])
})

test('a room that exists under the id that a MATCH would give its own, and is full, is no end of it', async () => {
  const { cluster, player } = await world('a', 'b')
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

test('P2 exactly once: rooms that their new engine could not read yet are waited for', async () => {
  const { cluster, ann, room } = await seatedAtB()
  await betterRoom(cluster)
  const orphans = await bereave(cluster)
  const { read } = cluster.storage
  cluster.storage.read = () => Promise.reject(new Error('the store does not answer'))
  cluster.give('d', orphans)
  await cluster.clock.advance(100)
  expect(cluster.engine('d').rooms.lacks('trio')).toBe(true)
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.storage.read = read
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toEqual({ ok: { room } })
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: partitions that come to an engine while it is asked are not answered for before they are read', async () => {
  const { cluster, ann, room } = await seatedAtB()
  await betterRoom(cluster)
  const orphans = await bereave(cluster)
  const of = partitionOf(room)
  await cluster.clock.advance(10)
  const { listIndex } = cluster.storage
  const [others, its] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  cluster.storage.listIndex = async (...about) => {
    await (about[0].partitions?.has(of) ? its : others).promise
    return listIndex(...about)
  }
  cluster.give(
    'd',
    orphans.filter((partition) => partition !== of),
  )
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(10)
  cluster.give('d', [of])
  await cluster.clock.advance(10)
  others.resolve()
  await cluster.clock.advance(2_000)
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([])
  its.resolve()
  await cluster.clock.runUntil(() => ann.frames(OP.ok).length === 2)
  expect(ann.frames(OP.ok)[1]).toEqual([OP.ok, 1, { room }])
  expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
})

test('P2 exactly once: an engine that cannot be sure of the queue asks for no seat again, until it can', async () => {
  const { cluster, player } = await world('a', 'b')
  const ann = player(cluster.playerAt('b'))
  cluster.loses = (_, message) => message.kind === 'command' && isErrands(message.gateway)
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.advance(100)
  cluster.doubt('a')
  cluster.loses = () => false
  await cluster.clock.advance(3_000)
  expect(errands(cluster)).toEqual([])
  cluster.trust('a')
  await cluster.clock.runUntil(() => ann.frames(OP.ok).length === 1, 2_000)
  expect(errands(cluster)).toEqual([cluster.roomOf(ann.player)])
})

test.each(['that it has had for long', 'of which it is reading the list of rooms'])(
  'P2 exactly once: an engine that hands a partition over %s does not say who is seated there',
  async (which) => {
    const { cluster, player, ann, room } = await seatedAtB()
    const of = partitionOf(room)
    await betterRoom(cluster)
    await cluster.add('d')
    const { listIndex, putSnapshot } = cluster.storage
    const [listed, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    if (which.startsWith('of which'))
      cluster.storage.listIndex = async (...about) => {
        await listed.promise
        return listIndex(...about)
      }
    await cluster.move([of], 'b', 'd')
    cluster.storage.listIndex = listIndex
    // There is a snapshot to keep, then, which takes its time.
    await player('cas').join(room, { role: 'player' })
    cluster.storage.putSnapshot = async (...about) => {
      await kept.promise
      return putSnapshot(...about)
    }
    cluster.give(
      'd',
      [...cluster.kill('a'), ...cluster.kill('b')].filter((partition) => partition !== QUEUE),
    )
    cluster.give('c', [QUEUE])
    await cluster.clock.advance(1_000)
    cluster.clock.after(200, () => listed.resolve())
    cluster.clock.after(500, () => ann.send('', [[OP.match, 1, 'trio']]))
    cluster.clock.after(1_000, () => kept.resolve())
    await cluster.move([of], 'd', 'c')
    await cluster.clock.advance(5_000)
    expect(seatsKept(cluster, ['c', 'd'], ann.player)).toEqual([room])
    expect(ann.frames(OP.ok)[1]).toEqual([OP.ok, 1, { room }])
  },
)

test('a room that is to be made in a partition on its way to another engine is made there', async () => {
  const { cluster, player } = await world('a', 'b')
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

test('P2 exactly once: a seat that an earlier owner of the queue asked for is not given when that arrives after all', async () => {
  const { cluster, player } = await world('a', 'b', 'c')
  const ann = player(cluster.playerAt('b'))
  const lost: { subject: string; message: Message }[] = []
  cluster.loses = (subject, message) => {
    const isAsked = message.kind === 'command' && isErrands(message.gateway)
    if (isAsked) lost.push({ subject, message })
    return isAsked
  }
  ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => lost.length > 0)
  cluster.give('c', cluster.kill('a'))
  cluster.loses = () => false
  const better = await betterRoom(cluster)
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toEqual({ ok: { room: better } })
  for (const { subject, message } of lost) cluster.deliver(subject, message)
  await cluster.clock.advance(1_000)
  expect(seatsKept(cluster, ['b', 'c'], ann.player)).toEqual([better])
})

test('an engine that dies while it is asked for a seat: `unavailable`, others are matched meanwhile, and the retry is seated once', async () => {
  const { cluster, player } = await world('a', 'b')
  await cluster.clock.advance(11 * 60_000)
  const [ann, bob] = [player(cluster.playerAt('b')), player(cluster.playerAt('a'), 1)]
  cluster.storage.hold()
  const asked = ann.send('', [[OP.match, 1, 'trio']])
  await cluster.clock.runUntil(() => cluster.storage.waiting === 1)
  const orphans = cluster.kill('b')
  cluster.storage.release()
  await cluster.clock.advance(3_000)
  const other = roomOf(await bob.match('trio'))
  await cluster.gateways[0].answers(asked)
  expect(ann.frames(OP.err).map(([, ref, code]) => [ref, code])).toEqual([[1, 'unavailable']])
  cluster.give('a', orphans)
  const room = roomOf(await ann.ask('', [OP.match, 1, 'trio']))
  expect(room).not.toBe(other)
  expect(seatsKept(cluster, ['a'], ann.player)).toEqual([room])
  expect(cluster.errors).toEqual([])
})

test('what is lost between engines is asked again: the seat is kept once', async () => {
  const { cluster, player } = await world('a', 'b')
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

test('P5 bounded: engines ask each other about earlier requests for 10 minutes after a queue has come to them, and no longer', async () => {
  const { cluster, player } = await world('a', 'b')
  const asks = () => cluster.published.filter(({ subject }) => subject === 'ask').length
  const ann = player(cluster.playerAt('b'))
  const room = roomOf(await ann.match('pair'))
  expect(asks()).toBeGreaterThan(0)
  await cluster.clock.advance(11 * 60_000)
  const before = asks()
  roomOf(await player('bob').match('pair'))
  expect(asks()).toBe(before)
  expect(room).not.toBe('')
})

test('a ref that has found a room does not find one of another game', async () => {
  const { cluster, player } = await world('a', 'b')
  const ann = player(cluster.playerAt('b'))
  const room = roomOf(await ann.match('pair'))
  expect(await ann.ask('', [OP.match, 1, 'trio'])).toMatchObject({ err: 'conflict' })
  expect(await ann.ask('', [OP.match, 1, 'pair'])).toEqual({ ok: { room } })
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
