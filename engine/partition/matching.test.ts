import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { gameOf } from './testing/games.ts'
import { roomOf } from './testing/matching.ts'
import { World } from './testing/world.ts'

const pair = gameOf('pair', {
  before: `const opts = { '~standard': { version: 1, vendor: 'test', validate: (v) => ({ value: { size: v?.size ?? 3 } }) } }`,
  head: 'players: [2, 2], options: opts',
  machine: 'context: {}',
  face: 'everyone: () => ({}), autoStart: true',
})

const world = async () => {
  const made = await World.start([pair])
  const player = (id: string) => made.gateway.connect(id)
  return { made, player }
}

test('two MATCHes at once share a room, a third gets another; who joins is seated', async () => {
  const { made, player } = await world()
  const [ann, bob, cas] = [player('ann'), player('bob'), player('cas')]
  made.storage.hold()
  for (const client of [ann, bob, cas]) client.send('', [[OP.match, client.next(), 'pair']])
  await made.gateway.settle()
  made.storage.release()
  await made.clock.runUntil(() => cas.frames(OP.ok).length === 1)
  const [a, b, c] = [ann, bob, cas].map((client) => roomOf({ ok: client.frames(OP.ok)[0]?.[2] }))
  expect(b).toBe(a)
  expect(c).not.toBe(a)
  await ann.join(a ?? '', { role: 'player' })
  await bob.join(a ?? '', { role: 'player' })
  expect(ann.document(a ?? '').room).toMatchObject({ phase: 'playing', players: ['ann', 'bob'] })
})

test('P5 bounded: a MATCH does not look at rooms of other games, or that are not public', async () => {
  const { made, player } = await world()
  const { rooms } = made.engine
  await player('bob').create('mine', 'pair')
  const looked: string[] = []
  rooms.live = () => {
    looked.push('all rooms')
    return []
  }
  const found = await player('ann').match('pair')
  expect(found).toMatchObject({ ok: { room: expect.any(String) } })
  expect([...rooms.publicOf('pair')].map(({ room }) => ({ ok: { room } }))).toEqual([found])
  expect([...rooms.publicOf('chess')]).toEqual([])
  expect(looked).toEqual([])
})

test('a seat is kept for 10 s against others, then it is free', async () => {
  const { made, player } = await world()
  const [ann, bob, cas] = [player('ann'), player('bob'), player('cas')]
  const room = roomOf(await ann.match('pair'))
  expect(roomOf(await bob.match('pair'))).toBe(room)
  await made.clock.advance(9_999)
  expect(await cas.join(room, { role: 'player' })).toMatchObject({ err: 'room_full' })
  await made.clock.advance(1)
  expect(await cas.join(room, { role: 'player' })).toMatchObject({ ok: { role: 'player' } })
})

test('options must match, their defaults filled in; what is not public is not found', async () => {
  const { player } = await world()
  const room = roomOf(await player('ann').match('pair', { size: 3 }))
  expect(roomOf(await player('bob').match('pair'))).toBe(room)
  expect(roomOf(await player('cas').match('pair', { size: 4 }))).not.toBe(room)
  const dan = player('dan')
  await dan.create('hidden', 'pair', { size: 5 })
  await dan.join('hidden')
  expect(roomOf(await player('eve').match('pair', { size: 5 }))).not.toBe('hidden')
  expect(await player('fay').match('chess')).toMatchObject({ err: 'not_found' })
})

test('P2 exactly once: a MATCH sent again gets the same room, also after restarts and when better rooms came meanwhile', async () => {
  const { made, player } = await world()
  const [ann, bob, cas] = [player('ann'), player('bob'), player('cas')]
  const room = roomOf(await ann.match('pair'))
  expect(roomOf(await bob.match('pair'))).toBe(room)
  await made.clock.advance(11_000)
  await cas.match('pair', { size: 3 })
  for (const client of [ann, bob]) {
    // The retry is there before the new engine has read its rooms.
    const { listIndex } = made.storage
    let read = () => {}
    const reading = new Promise<void>((resolve) => {
      read = resolve
    })
    made.storage.listIndex = async (...args) => {
      await reading
      return listIndex(...args)
    }
    await made.crash()
    const id = client.send('', [[OP.match, 1, 'pair']])
    await made.gateway.settle()
    expect(made.engine.rooms.counts().live).toBe(0)
    read()
    await made.gateway.answers(id)
    made.storage.listIndex = listIndex
    expect(client.frames(OP.ok).at(-1)).toEqual([OP.ok, 1, { room }])
  }
  expect(await bob.ask('', [OP.match, 1, 'pair', { size: 9 }])).toMatchObject({ err: 'conflict' })
})

test('public rooms are listed with their seats, also while they sleep; others only to who knows them', async () => {
  const { made, player } = await world()
  const ann = player('ann')
  await ann.create('open', 'pair', undefined, { public: true })
  await ann.create('hidden', 'pair')
  const listing = { room: 'open', game: 'pair', phase: 'open', players: 0, seats: 2 }
  expect(await made.gateway.ask({ type: 'rooms', game: null })).toEqual({ rooms: [listing] })
  await made.clock.advance(12 * 60_000)
  expect(made.engine.rooms.counts().live).toBe(0)
  expect(await made.gateway.ask({ type: 'rooms', game: 'pair' })).toEqual({ rooms: [listing] })
  expect(await made.gateway.ask({ type: 'rooms', game: 'other' })).toEqual({ rooms: [] })
  expect(await made.gateway.ask({ type: 'room', room: 'hidden' })).toEqual({ room: { ...listing, room: 'hidden' } })
  expect(await made.gateway.ask({ type: 'room', room: 'nowhere' })).toEqual({ room: null })
  expect(made.engine.rooms.counts().live).toBe(0)
})
