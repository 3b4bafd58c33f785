import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord } from '../../protocol/record.ts'
import type { Entry } from '../log/log.ts'
import { KeyRing } from '../room/keyring.ts'
import { encodeSnapshot } from '../room/snapshot.ts'
import type { LoadedGame } from '../rules/game.ts'
import { Library } from './library.ts'
import { restoreRoom } from './restore.ts'
import { counter, gameOf } from './testing/games.ts'
import { startWorld } from './testing/start.ts'
import type { World } from './testing/world.ts'

const played = async (moves = 5, game = counter()) => {
  const { world, ann } = await startWorld(game)
  await ann.call('r', 'start')
  for (let i = 0; i < moves; i++) await ann.move('r', 'add', 1)
  await ann.create('q', 'counter')
  await ann.join('q')
  return { world, ann }
}

/** The state as its log alone says. */
const fromLog = async (world: World, room = 'r') => {
  const { storage, games, chance } = world
  const library = await Library.open(games, storage)
  const bare = { read: storage.read, last: storage.last, index: storage.index, snapshot: async () => null }
  const restored = await restoreRoom(room, { storage: bare, library, keys: new KeyRing(storage, chance) })
  return restored
}

test('a snapshot is used at a restart, and a deleted one costs nothing but time', async () => {
  const { world, ann } = await played(300)
  await world.stop()
  const reads: number[] = []
  const { read } = world.storage
  world.storage.read = async (room, after, limit) => {
    if (room === 'r') reads.push(after)
    return read(room, after, limit)
  }
  await world.crash(['r'])
  expect(Math.min(...reads)).toBeGreaterThan(250)
  const { state } = world.engine.rooms.here('r') ?? {}
  world.storage.snapshot = async () => null
  await world.crash(['r'])
  expect(world.engine.rooms.here('r')?.state.rules?.deadlines).toEqual(state?.rules?.deadlines)
  expect(await ann.move('r', 'add', 1)).toEqual({ ok: 304 })
  expect(ann.document('r').game).toEqual({ sum: 301, own: 301 })
  expect(world.gateway.violations).toEqual([])
})

test.each([
  ['garbled', (bytes: Uint8Array) => bytes.map((b, i) => (i === 40 ? b ^ 1 : b))],
  ['cut', (bytes: Uint8Array) => bytes.slice(0, 30)],
  ['empty', () => new Uint8Array(0)],
])('a %s snapshot is named, and the room is rebuilt from its log', async (_, harm) => {
  const { world, ann } = await played()
  await world.stop()
  const bytes = await world.storage.snapshot('r')
  expect(bytes).not.toBeNull()
  await world.storage.putSnapshot('r', harm(bytes ?? new Uint8Array(0)))
  await world.crash(['r'])
  expect(
    world.reports
      .filter(({ level }) => level === 'warn')
      .map(({ message }) => message)
      .join(),
  ).toContain('the snapshot of room r is damaged')
  expect(await ann.move('r', 'add', 1)).toEqual({ ok: 9 })
  expect(ann.document('r').game).toEqual({ sum: 6, own: 6 })
})

test.each([false, true])(
  'an append that lands while a room is read does not look like a truncated log (after a snapshot: %s)',
  async (hasSnapshot) => {
    const { world, ann } = await played()
    const { storage, games, chance } = world
    const { state, end, game } = world.engine.rooms.here('r') ?? {}
    if (state === undefined || end === undefined || game === undefined) throw new Error('the room is live')
    const keys = new KeyRing(storage, chance)
    await keys.recall(Object.keys(state.members))
    const snapshot = encodeSnapshot(state, { ...end, rules: game.hash }, game.runner, keys)
    const landsLate: typeof storage.read = async (...place) => {
      const entries = await storage.read(...place)
      await ann.move('r', 'add', 1)
      const row = await storage.index('r')
      if (row !== null) await storage.putIndex([{ ...row, seq: world.engine.rooms.here('r')?.state.seq ?? 0 }])
      return entries
    }
    const { last, index } = storage
    const late = { read: landsLate, last, index, snapshot: async () => (hasSnapshot ? snapshot : null) }
    const restored = await restoreRoom('r', { storage: late, library: await Library.open(games, storage), keys })
    expect(restored?.state.seq).toBe(state.seq)
  },
)

test('a snapshot of another room is named, and never taken for this one', async () => {
  const { world, ann } = await played()
  await world.stop()
  await world.storage.putSnapshot('r', (await world.storage.snapshot('q')) ?? new Uint8Array(0))
  await world.crash(['r'])
  expect(world.reports.map(({ message }) => message).join()).toContain('it is of room q')
  expect(await ann.move('r', 'add', 1)).toEqual({ ok: 9 })
})

const other = (entries: Entry[]): Entry[] =>
  entries.map(({ position, record }, i) => ({ position, record: i === 4 ? (entries[3]?.record ?? record) : record }))

test.each([
  ['truncated below its snapshot', true, (e: Entry[]) => e.slice(0, -2), 'truncated'],
  ['emptied', false, () => [], 'truncated'],
  [
    'garbled',
    false,
    (e: Entry[]) => e.map((x, i) => (i === 3 ? { ...x, record: x.record.map((b, at) => (at === 30 ? b ^ 4 : b)) } : x)),
    'damaged',
  ],
  ['without one record', false, (e: Entry[]) => e.filter((_, i) => i !== 3), 'missing'],
  ['with one record replaced by another', false, other, 'begins with event'],
  [
    'with one record rewritten',
    false,
    (e: Entry[]) =>
      e.map((x, i) => (i === 3 ? { ...x, record: encodeRecord({ ...decodeRecord(x.record), id: 'forged' }) } : x)),
    'does not follow the one before it',
  ],
  [
    'with its last record garbled under a snapshot',
    true,
    (e: Entry[]) =>
      e.map((x, i) => (i === e.length - 1 ? { ...x, record: x.record.map((b, at) => (at === 30 ? b ^ 4 : b)) } : x)),
    'damaged',
  ],
] as const)(
  'a log that is %s freezes its room, which is named, and the others go on',
  async (_, snapshot, harm, why) => {
    const { world, ann } = await played()
    if (snapshot) await world.stop()
    world.storage.damage('r', (entries) => harm(entries))
    await world.crash()
    expect(
      world.reports
        .filter(({ room, level }) => room === 'r' && level === 'error')
        .map(({ message }) => message)
        .join(),
    ).toContain(why)
    expect(await ann.join('r')).toMatchObject({ err: 'unavailable' })
    expect(await ann.move('r', 'add', 1)).toMatchObject({ err: 'unavailable' })
    expect(world.engine.rooms.counts()).toEqual({ live: 1, frozen: 1 })
    expect(await world.gateway.ask({ type: 'room', room: 'r' })).toMatchObject({
      refused: { code: 'unavailable', message: expect.stringContaining('frozen') },
    })
    expect(await ann.join('q')).toHaveProperty('ok')
  },
)

test('rooms whose logs were swapped are frozen, both', async () => {
  const { world, ann } = await played()
  const [r, q] = [await world.storage.read('r', 0, 100), await world.storage.read('q', 0, 100)]
  world.storage.damage('r', () => q)
  world.storage.damage('q', () => r)
  await world.crash()
  expect(world.engine.rooms.counts()).toEqual({ live: 0, frozen: 2 })
  expect(world.errors().join()).toContain('belongs to room q')
  expect(await ann.create('new', 'counter')).toHaveProperty('ok')
})

test('a room that cannot be read just now does not keep the others from being taken over', async () => {
  const { world, ann } = await played()
  const { snapshot } = world.storage
  world.storage.snapshot = async (room) => {
    if (room === 'q') throw new Error('the disk failed')
    return snapshot(room)
  }
  await world.crash(['r'])
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  expect(await ann.join('q')).toMatchObject({ err: 'unavailable' })
  world.storage.snapshot = snapshot
  expect(await ann.join('q')).toHaveProperty('ok')
})

const versions = (more: Parameters<typeof counter>[0]) => counter(more)
const hashIn = (world: World): string | undefined => world.engine.rooms.here('r')?.game.hash

test('changed rules whose replay is equal go on under the new hash, and show at once what they show', async () => {
  const { world, ann } = await played()
  const next = versions({ face: `everyone: (s) => ({ sum: s.context.sum, twice: s.context.sum * 2 })` })
  await world.crash(['r'], [next])
  expect(hashIn(world)).toBe(next.hash)
  expect(ann.document('r').game).toEqual({ sum: 5, twice: 10 })
  expect(await ann.move('r', 'add', 1)).toHaveProperty('ok')
  await world.crash(['r'])
  expect(hashIn(world)).toBe(next.hash)
  expect(ann.document('r').game).toEqual({ sum: 6, twice: 12 })
  expect(world.gateway.violations).toEqual([])
})

test('changed rules that replay otherwise leave a room in play on the kept source', async () => {
  const old = counter()
  const { world, ann } = await played(5, old)
  const next = versions({ step: ' + 1' })
  await world.crash(['r'], [next])
  expect(hashIn(world)).toBe(old.hash)
  expect(world.reports.filter(({ message }) => message.includes('stays on the rules')).map(({ room }) => room)).toEqual(
    ['r'],
  )
  await ann.move('r', 'add', 1)
  expect(ann.document('r').game).toEqual({ sum: 6, own: 6 })
  await ann.create('n', 'counter')
  await ann.join('n')
  await ann.call('n', 'start')
  await ann.move('n', 'add', 1)
  expect(ann.document('n').game).toEqual({ sum: 2, own: 1 })
})

const migrating = (how: string): LoadedGame =>
  versions({
    head: 'version: 2',
    step: ' + 1',
    face: `everyone: (s) => ({ sum: s.context.sum, moved: s.context.moved ?? false }), migrate: { 1: ${how} }`,
  })

test('`migrate` is logged with the whole state, and a replay after another restart starts from it', async () => {
  const { world, ann } = await played(300)
  await world.crash(['r'], [migrating('(s) => ({ ...s, context: { ...s.context, sum: 1000, moved: true } })')])
  expect(ann.document('r').room.version).toBe(2)
  expect(ann.document('r').game).toEqual({ sum: 1000, moved: true })
  await ann.move('r', 'add', 1)
  await world.crash(['r'])
  expect(ann.document('r').game).toEqual({ sum: 1002, moved: true })
  expect((await fromLog(world))?.state.seq).toBe(305)
  expect(world.reports.filter(({ level }) => level !== 'info')).toEqual([])
  expect(world.gateway.violations).toEqual([])
})

test('a `migrate` that throws leaves the room on its old rules, and says so', async () => {
  const { world, ann } = await played()
  await world.crash(['r'], [migrating(`() => { throw new Error('boom') }`)])
  expect(world.reports.map(({ message }) => message).join()).toContain('boom')
  await ann.move('r', 'add', 1)
  expect(ann.document('r').game).toEqual({ sum: 6, own: 6 })
})

test('a room whose rules are gone is frozen, and the others go on', async () => {
  const { world, ann } = await played()
  world.storage.rules = async () => null
  await world.crash([], [versions({ step: ' + 1' })])
  expect(await ann.join('r')).toMatchObject({ err: 'unavailable' })
  expect(world.errors().join()).toContain('whose source is gone')
})

const talk = () =>
  gameOf('counter', {
    head: `personal: ['say.text']`,
    machine: `context: { words: [] }, on: { say: { actions: assign({ words: ({ context, event }) => [...context.words, event.payload.text] }) }, add: {} }`,
    face: 'everyone: (s) => ({ words: s.context.words })',
  })

test('names and personal words are in no stored byte, and are there again after a restart', async () => {
  const { world, ann } = await startWorld(talk())
  const bob = world.gateway.connect('bob', { name: 'Bobbington' })
  await bob.join('r')
  await ann.call('r', 'start')
  for (let i = 0; i < 300; i++) await bob.move('r', 'say', { text: `whisper ${i}` })
  await world.stop()
  const bytes = Buffer.concat(world.storage.written).toString('latin1')
  expect(bytes).toContain('player.joined')
  expect(bytes).not.toContain('Bobbington')
  expect(bytes).not.toContain('whisper')
  await world.crash(['r'])
  const document = world.engine.rooms.here('r')?.state
  expect(document?.members.bob?.name).toBe('Bobbington')
  await ann.drop()
  const again = world.gateway.connect('ann')
  await again.join('r')
  expect(again.document('r').game).toMatchObject({ words: expect.arrayContaining(['whisper 0', 'whisper 299']) })
})

test('a player who is forgotten while the engine runs is nameless at once in every room, and seals nothing under the old key', async () => {
  const { world, ann } = await startWorld(counter())
  const bob = world.gateway.connect('bob', { name: 'Bob Brown' })
  await bob.join('r')
  expect(ann.document('r').room.members.bob?.name).toBe('Bob Brown')
  const old = await world.storage.existingKey('bob')
  await world.engine.forgetPlayer('bob')
  const eve = world.gateway.connect('eve')
  await eve.join('r')
  expect(eve.document('r').room.members.bob?.name).toBe('…')
  await bob.create('q', 'counter')
  await bob.join('q')
  expect(await world.storage.existingKey('bob')).not.toEqual(old)
  await world.stop()
  await world.crash()
  await eve.join('r')
  await eve.join('q')
  expect(eve.document('q').room.members.bob?.name).toBe('Bob Brown')
  expect(eve.document('r').room.members.bob?.name).toBe('…')
  expect(world.gateway.violations).toEqual([])
})

test('a forgotten player leaves the log whole, without name and words', async () => {
  const { world, ann } = await startWorld(talk())
  const bob = world.gateway.connect('bob', { name: 'Bobbington' })
  await bob.join('r')
  await ann.call('r', 'start')
  await bob.move('r', 'say', { text: 'whisper' })
  await ann.move('r', 'say', { text: 'mine' })
  await world.stop()
  await world.storage.forgetPlayer('bob')
  await world.crash(['r'])
  const again = world.gateway.connect('ann')
  await again.join('r')
  expect(again.document('r').room.members.bob?.name).toBe('…')
  expect(again.document('r').game).toEqual({ words: ['…', 'mine'] })
  expect(world.errors()).toEqual([])
})
