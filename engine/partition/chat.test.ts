import { expect, test } from 'vitest'
import { OP } from '../../protocol/frames.ts'
import { loadGame } from '../rules/load.ts'
import { counter } from './testing/games.ts'
import type { ScriptedClient } from './testing/gateway.ts'
import { startWorld } from './testing/start.ts'

interface Line {
  id: number
  from: string
  to: string
  text: string
}

const notes = (client: ScriptedClient, topic: string): unknown[] =>
  client.frames(OP.note).flatMap(([, , about, data]) => (about === topic ? [data] : []))
const lines = (client: ScriptedClient): Line[] => notes(client, 'chat') as Line[]
const texts = (client: ScriptedClient): string[] => lines(client).map(({ text }) => text)

test('chat goes to its audience, is answered with its id, acts once when it is sent again, and comes with JOIN', async () => {
  const { world, ann } = await startWorld(counter())
  const { gateway } = world
  const [bob, eve] = [gateway.connect('bob'), gateway.connect('eve')]
  await bob.join('r')
  await eve.join('r', { role: 'spectator' })
  ann.send('r', [[OP.call, 70, 'r', 'chat', { text: '  Hello, Bob ' }]])
  ann.send('r', [[OP.call, 70, 'r', 'chat', { text: '  Hello, Bob ' }]])
  expect(await eve.call('r', 'chat', { text: 'Psst' })).toMatchObject({ ok: { id: 2 } })
  await gateway.settle()
  expect(ann.frames(OP.ok).filter(([, ref]) => ref === 70)).toEqual([
    [OP.ok, 70, { id: 1 }],
    [OP.ok, 70, { id: 1 }],
  ])
  expect(lines(bob)).toMatchObject([{ id: 1, from: 'ann', name: 'ann', to: 'players', text: 'Hello, Bob' }])
  expect(texts(ann)).toEqual(['Hello, Bob'])
  expect(texts(eve)).toEqual(['Psst'])

  const [late, watcher] = [gateway.connect('cas'), gateway.connect('dan')]
  await late.join('r')
  await watcher.join('r', { role: 'spectator' })
  expect(texts(late)).toEqual(['Hello, Bob'])
  expect(texts(watcher)).toEqual(['Psst'])
})

test('P5 bounded: a line a second after a few at once, 500 characters, a hundred lines kept; who is not there may not write', async () => {
  const { world, ann } = await startWorld(counter())
  for (let n = 0; n < 5; n++) await ann.call('r', 'chat', { text: `${n}` })
  expect(await ann.call('r', 'chat', { text: 'too many' })).toMatchObject({
    err: 'rate_limited',
    detail: { retryAfter: 1000 },
  })
  await world.clock.advance(1000)
  for (const params of [
    {},
    { text: ' ' },
    { text: 'x'.repeat(501) },
    { text: 'a\u0000b' },
    { text: 'hi', to: 7 },
    null,
  ])
    expect(await ann.call('r', 'chat', params)).toMatchObject({ err: 'invalid_payload' })
  expect(await ann.call('r', 'chat', { text: 'hi', to: 'spectators' })).toMatchObject({ err: 'forbidden' })
  expect(await ann.call('r', 'chat', { text: 'hi', to: 'nobody' })).toMatchObject({ err: 'forbidden' })
  expect(await world.gateway.connect('zoe').call('r', 'chat', { text: 'hi' })).toMatchObject({ err: 'not_member' })
  for (let n = 0; n < 120; n++) {
    await ann.call('r', 'chat', { text: `line ${n}` })
    await world.clock.advance(1000)
  }
  const late = world.gateway.connect('bob')
  await late.join('r')
  expect(texts(late)).toHaveLength(100)
  expect(texts(late).at(-1)).toBe('line 119')
})

test('P5 bounded: chat is told unavailable where too much waits in the room, or its log is lost', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await ann.call('r', 'start')
  world.storage.hold()
  const say = (): number => ann.send('r', [[OP.call, ann.next(), 'r', 'chat', { text: 'Hello' }]])
  const moves = Array.from({ length: 2_100 }, () => [OP.move, bob.next(), 'r', 'add', 1] satisfies [5, ...unknown[]])
  bob.send('r', moves)
  await world.gateway.settle()
  await world.gateway.answers(say())
  expect(ann.frames(OP.err).map(([, , code]) => code)).toEqual(['unavailable'])
  world.storage.release()
  await world.gateway.settle()

  world.storage.hold()
  bob.send('r', [[OP.move, bob.next(), 'r', 'add', 1]])
  await world.gateway.settle()
  const id = say()
  await world.gateway.settle()
  world.storage.fail('fenced')
  world.storage.release()
  await world.gateway.answers(id)
  expect(ann.frames(OP.err).map(([, , code]) => code)).toEqual(['unavailable', 'unavailable'])
})

test('P4 private: in mafia the town is silent by night, the mafia whispers, and the dead are heard by the dead alone', async () => {
  const { world, ann } = await startWorld(await loadGame('games/mafia'), { night: 60, day: 60 })
  const others = ['bob', 'cas', 'dan', 'eve'].map((name) => world.gateway.connect(name))
  for (const client of others) await client.join('r')
  const watcher = world.gateway.connect('fay')
  await watcher.join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  const all = [ann, ...others]
  const game = (client: ScriptedClient) => client.document('r').game as Record<string, unknown>
  const killer = all.find((client) => game(client).role === 'mafia') ?? ann
  const town = all.filter((client) => client !== killer)
  await world.gateway.settle()
  for (const client of town) expect(notes(client, 'chat.audiences').at(-1)).toEqual({ to: [] })
  expect(notes(watcher, 'chat.audiences')).toEqual([])
  expect(notes(killer, 'chat.audiences').at(-1)).toEqual({ to: ['mafia'] })
  expect(await town[0]?.call('r', 'chat', { text: 'Anyone?' })).toMatchObject({ err: 'forbidden' })
  await killer.call('r', 'chat', { text: 'Whom?', to: 'mafia' })
  const [victim, ...living] = town
  await killer.move('r', 'vote', { target: victim?.player ?? '' })
  expect(game(ann).phase).toBe('day')
  expect(notes(victim ?? ann, 'chat.audiences').at(-1)).toEqual({ to: ['dead'] })
  await victim?.call('r', 'chat', { text: 'It was them', to: 'dead' })
  await living[0]?.call('r', 'chat', { text: 'Good morning' })
  await world.gateway.settle()
  expect(texts(killer)).toEqual(['Whom?', 'Good morning'])
  for (const client of [...living, watcher]) expect(texts(client)).toEqual(['Good morning'])
  expect(texts(victim ?? ann)).toEqual(['It was them', 'Good morning'])
  const late = world.gateway.connect(victim?.player ?? '')
  await late.join('r')
  expect(texts(late)).toEqual(['It was them', 'Good morning'])
})

test('P5 bounded: a line of chat and a commit ask the rules once for all who watch', async () => {
  const game = await loadGame('games/mafia')
  let asked = 0
  const { mayRead, mayWrite } = game.runner
  const counting: Partial<typeof game.runner> = {
    mayRead: (...about) => ++asked > 0 && mayRead.apply(game.runner, about),
    mayWrite: (...about) => ++asked > 0 && mayWrite.apply(game.runner, about),
  }
  const { world, ann } = await startWorld({ ...game, runner: Object.assign(Object.create(game.runner), counting) })
  for (const name of ['bob', 'cas', 'dan', 'eve']) await world.gateway.connect(name).join('r')
  for (let n = 0; n < 100; n++) await world.gateway.connect(`w${n}`).join('r', { role: 'spectator' })
  await ann.call('r', 'start')
  const mafia = world.gateway.clients.find((client) => Object(client.document('r').game).role === 'mafia') ?? ann
  asked = 0
  expect(await mafia.move('r', 'vote', { target: 'bob' })).toHaveProperty('ok')
  expect(await mafia.call('r', 'chat', { text: 'Good morning', to: 'spectators' })).toHaveProperty('err')
  await world.gateway.settle()
  const talker = world.gateway.clients.find(({ player }) => player === 'w7') ?? ann
  expect(await talker.call('r', 'chat', { text: 'Psst' })).toHaveProperty('ok')
  expect(asked).toBeLessThan(40)
  const heard = world.gateway.clients.filter((client) => texts(client).includes('Psst'))
  expect(heard).toHaveLength(100)
})
