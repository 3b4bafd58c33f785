import { expect, test } from 'vitest'
import { decode, encode } from '../protocol/codec.ts'
import { rig } from './testing/rig.ts'

/** A member whose media calls no engine answers. */
const withDeafMedia = async () => {
  const all = rig({ limits: { frame: 16_384, rate: 1_000 } })
  const client = await all.member('ann', 'room')
  all.engine.requests.length = 0
  all.engine.onRequest = (request) => {
    if (request.kind !== 'command' || !request.aside) all.engine.obey(request)
  }
  return { ...all, client, calls: () => all.engine.commands.filter(({ aside }) => aside) }
}

test('P3 ordered: a media call that hangs holds up no move before or behind it; its answer comes when it comes', async () => {
  const { client, settle, engine, calls, gateway } = await withDeafMedia()
  client.send([5, 2, 'room', 'a'], [7, 3, 'room', 'media.join', {}], [5, 4, 'room', 'b'])
  await settle()
  client.send([5, 5, 'room', 'c'])
  await settle()
  expect(client.take()).toEqual([
    [33, 2, 'a'],
    [33, 4, 'b'],
    [33, 5, 'c'],
  ])
  const [call] = calls()
  if (!call) throw new Error('no call')
  expect(call).toMatchObject({ room: 'room', conn: null, player: { id: 'ann' } })
  expect(call.frames.map((frame) => decode(frame))).toEqual([[7, 3, 'room', 'media.join', {}]])
  engine.say(engine.answer(call, [[33, 3, 'joined']]))
  await settle()
  expect(client.take()).toEqual([[33, 3, 'joined']])
  expect(gateway.held().requests).toBe(0)
})

test('P2 a media call is sent again with its id each second, and given up after ten; a late answer is dropped', async () => {
  const { client, time, engine, calls, gateway } = await withDeafMedia()
  client.send([7, 3, 'room', 'media.join'])
  await time.advance(9_999)
  expect(new Set(calls().map(({ id }) => id)).size).toBe(1)
  expect(calls()).toHaveLength(10)
  expect(client.take().filter(([op]) => op !== 39)).toEqual([])
  await time.advance(1)
  expect(client.take()).toMatchObject([[34, 3, 'unavailable', expect.stringContaining('same ref')]])
  const [call] = calls()
  if (call) engine.say(engine.answer(call, [[33, 3, 'late']]))
  await time.advance(10)
  expect(client.take()).toEqual([])
  expect(gateway.held().requests).toBe(0)
})

test('P5 bounded: 64 media calls of a connection wait at once, moves have their own room, and its end forgets them', async () => {
  const { client, settle, calls, gateway } = await withDeafMedia()
  for (let ref = 1; ref <= 65; ref++) client.send([7, ref + 10, 'room', 'media.consume', { track: `${ref}` }])
  client.send([5, 99, 'room', 'a'])
  await settle()
  expect(calls()).toHaveLength(64)
  expect(client.take()).toEqual([
    [34, 75, 'unavailable', expect.stringContaining('too many')],
    [33, 99, 'a'],
  ])
  expect(gateway.held().requests).toBe(64)
  client.socket.close(1000)
  await settle()
  expect(gateway.held().requests).toBe(0)
})

test('P5 a media call counts as a frame of the player’s rate', async () => {
  const { member, settle, engine } = rig({ limits: { frame: 16_384, rate: 1 } })
  const client = await member('ann', 'room')
  engine.requests.length = 0
  client.send([7, 2, 'room', 'media.state', {}], [7, 3, 'room', 'media.state', {}])
  await settle()
  expect(engine.commands).toHaveLength(1)
  expect(client.take()).toContainEqual([34, 3, 'rate_limited', expect.anything(), { retryAfter: 1000 }])
})

test('a gateway that is about to close waits for the answers of media calls, and takes no new ones', async () => {
  const { client, time, engine, calls, gateway } = await withDeafMedia()
  client.send([7, 3, 'room', 'media.join', {}])
  await time.advance(0)
  let isDrained = false
  void gateway.drain().then(() => {
    isDrained = true
  })
  client.send([7, 4, 'room', 'media.state', {}])
  await time.advance(100)
  expect(isDrained).toBe(false)
  expect(calls()).toHaveLength(1)
  const [call] = calls()
  if (call) engine.say(engine.answer(call, [[33, 3, 'joined']]))
  await time.advance(100)
  expect(isDrained).toBe(true)
  expect(client.take()).toEqual([
    [41, 'restarting', expect.anything()],
    [34, 4, 'unavailable', expect.stringContaining('about to close')],
    [33, 3, 'joined'],
  ])
})

test('over HTTP a media call is a frame like any other', async () => {
  const { gateway, engine, settle } = rig()
  const who = { player: { id: 'ann', name: 'ann' }, session: 'session-of-ann-0000', guest: false }
  const answer = gateway.post(who, '127.0.0.1', [encode([7, 1, 'room', 'media.join', {}])])
  await settle()
  expect(await answer).toEqual([encode([33, 1, null])])
  expect(engine.commands).toMatchObject([{ conn: null }])
  expect(engine.commands[0]).not.toHaveProperty('aside')
})
