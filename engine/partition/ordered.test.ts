import { expect, test } from 'vitest'
import { type ClientFrame, OP } from '../../protocol/frames.ts'
import { counter, gameOf } from './testing/games.ts'
import { startWorld } from './testing/start.ts'

test('P3 ordered: one spectator who leaves does not break the chain of those who stay', async () => {
  const { world, ann } = await startWorld(counter())
  const [eve, fay] = [world.gateway.connect('eve'), world.gateway.connect('fay')]
  await ann.call('r', 'start')
  await eve.join('r', { role: 'spectator' })
  await fay.join('r', { role: 'spectator' })
  // Changes no spectator's document.
  await ann.move('r', 'say', { text: 'hello' })
  await eve.drop()
  await ann.move('r', 'add', 2)
  expect(fay.document('r').game).toEqual({ sum: 2, own: 'watching' })
  expect(world.gateway.violations).toEqual([])
})

test('P3 ordered: what happened while nobody was connected reaches who comes back with an old `since`', async () => {
  const { world, ann } = await startWorld(counter({ face: 'everyone: (s) => ({ sum: s.context.sum })' }))
  const bob = world.gateway.connect('bob')
  await bob.join('r')
  await ann.call('r', 'start')
  const since = ann.rooms.get('r')?.seq ?? 0
  const before = ann.document('r')
  await ann.drop()
  await bob.drop()
  await world.clock.advance(6_000)
  const again = world.gateway.connect('ann', { session: ann.session })
  again.rooms.set('r', { role: 'player', seq: since, heard: since, document: before })
  await again.join('r', { since })
  expect(again.document('r').room.members).toEqual({
    ann: { name: 'ann', connected: true },
    bob: { name: 'bob', connected: false },
  })
})

test('P3 ordered: a JOIN with `since` gets nothing, a PATCH or a STATE: what its document needs', async () => {
  const { world, ann } = await startWorld(counter())
  await ann.call('r', 'start')
  const since = ann.rooms.get('r')?.seq ?? 0
  const document = ann.document('r')
  const comeBack = async (at: number) => {
    const again = world.gateway.connect('ann')
    again.rooms.set('r', { role: 'player', seq: at, heard: at, document })
    await again.join('r', { since: at })
    return again
  }
  expect((await comeBack(since)).inbox.map(([op]) => op)).toEqual([OP.ok])
  await ann.move('r', 'add', 2)
  const patched = await comeBack(since)
  expect(patched.inbox.map(([op]) => op)).toEqual([OP.ok, OP.patch])
  expect(patched.document('r')).toEqual(ann.document('r'))
  for (let i = 0; i < 70; i++) await ann.move('r', 'add', 1)
  expect((await comeBack(since)).inbox.map(([op]) => op)).toEqual([OP.ok, OP.state])
  expect((await comeBack(10_000)).inbox.map(([op]) => op)).toEqual([OP.ok, OP.state])
  expect(world.gateway.violations).toEqual([])
})

test('P3 ordered: the STATE of a newcomer stands where the next PATCH of its audience begins', async () => {
  const { world, ann } = await startWorld(counter())
  await ann.call('r', 'start')
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  for (let i = 0; i < 3; i++) await ann.move('r', 'say', { text: 'nothing that shows' })
  const fay = world.gateway.connect('fay')
  await fay.join('r', { role: 'spectator' })
  expect(fay.frames(OP.state)[0]?.[2]).toBe(eve.rooms.get('r')?.seq)
  await ann.move('r', 'add', 1)
  expect(fay.document('r')).toEqual(eve.document('r'))
  expect(fay.frames(OP.patch)).toEqual(eve.frames(OP.patch))
  expect(world.gateway.violations).toEqual([])
})

test('P3 ordered: per member the document goes first, then EMITs by seq, then the OK; missed EMITs come once on resume', async () => {
  const { world, ann } = await startWorld(counter())
  await ann.call('r', 'start')
  const bob = world.gateway.connect('bob')
  await bob.join('r', { role: 'spectator' })
  const before = ann.inbox.length
  world.storage.hold()
  ann.send('r', [
    [OP.move, ann.next(), 'r', 'add', 1],
    [OP.move, ann.next(), 'r', 'say', { text: 'a', n: 1 }],
    [OP.move, ann.next(), 'r', 'say', { text: 'b', n: 2 }],
  ])
  await world.gateway.settle()
  world.storage.release()
  await world.gateway.settle()
  // The first move goes alone; what arrives while it is stored goes together.
  expect(ann.inbox.slice(before).flatMap(([op]) => (op === OP.note ? [] : [op]))).toEqual([
    OP.patch,
    OP.ok,
    OP.emit,
    OP.emit,
    OP.ok,
    OP.ok,
  ])
  expect(ann.frames(OP.emit).map(([, , seq, event]) => [seq, event.n])).toEqual([
    [5, 1],
    [6, 2],
  ])
  world.gateway.hears = false
  await world.gateway.settle()
  ann.send('r', [[OP.move, ann.next(), 'r', 'say', { text: 'c', n: 3 }]])
  await world.gateway.settle()
  world.gateway.hears = true
  await world.gateway.reattach('r')
  await world.gateway.reattach('r')
  expect(bob.frames(OP.emit).map(([, , , event]) => event.n)).toEqual([1, 2, 3])
  expect(ann.frames(OP.emit).map(([, , , event]) => event.n)).toEqual([1, 2, 3])
})

test.each([
  ['alone', 0],
  ['with a commit', 1],
])(
  'P3 ordered: members that are attached in one turn, %s, miss nothing of the return of one of them',
  async (_, moves) => {
    const { world, ann } = await startWorld(counter({ face: 'everyone: (s) => ({ sum: s.context.sum })' }))
    const [bob, eve] = [world.gateway.connect('bob', { http: true }), world.gateway.connect('eve')]
    await bob.join('r')
    await ann.call('r', 'start')
    await eve.join('r', { role: 'spectator' })
    await world.crash()
    await world.clock.advance(6_000)
    world.storage.hold()
    bob.send('r', [[OP.move, bob.next(), 'r', 'add', 1]])
    await world.gateway.settle()
    // These wait for the append in flight, and are taken together.
    for (let i = 0; i < moves; i++) bob.send('r', [[OP.move, bob.next(), 'r', 'add', 1]])
    for (const { rooms, conn, session, player, name } of [ann, eve]) {
      const at = rooms.get('r')
      if (at === undefined || conn === null) throw new Error('not attached')
      const { role, seq: since, heard, ref = null } = at
      const member = { conn, session, player: { id: player, name }, role, since, heard, ref }
      world.gateway.publish((id) => ({ kind: 'attach', gateway: 'g1', id, room: 'r', members: [member] }))
    }
    await world.gateway.settle()
    world.storage.release()
    await world.gateway.settle()
    expect(ann.document('r').room.members.ann?.connected).toBe(true)
    expect(eve.document('r')).toEqual(ann.document('r'))
    expect(world.gateway.violations).toEqual([])
  },
)

test('P3 ordered: a key that moves from what one may know to what all may know stays in the document', async () => {
  const game = gameOf('counter', {
    machine: `context: { open: false }, on: { add: { actions: assign({ open: true }) }, say: { actions: assign({ open: false }) } }`,
    face: `everyone: (s) => s.context.open ? { hand: 'shown' } : {}, only: (s) => s.context.open ? {} : { hand: 'mine' }`,
  })
  const { world, ann } = await startWorld(game)
  await ann.call('r', 'start')
  expect(ann.document('r').game).toEqual({ hand: 'mine' })
  await ann.move('r', 'add', 1)
  expect(ann.document('r').game).toEqual({ hand: 'shown' })
  await ann.move('r', 'say', 1)
  expect(ann.document('r').game).toEqual({ hand: 'mine' })
  expect(world.gateway.violations).toEqual([])
})

test('P3 ordered: a spectator who takes a seat gets a STATE, not a PATCH of what a spectator saw', async () => {
  const { world, ann } = await startWorld(
    counter({
      head: 'players: [1, 4]',
      face: `dropIn: true, everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => ({ own: v === null ? 'watching' : 'playing' })`,
    }),
  )
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  await ann.move('r', 'add', 1)
  expect(eve.document('r').game).toEqual({ sum: 1, own: 'watching' })
  await eve.join('r', { role: 'player', since: eve.rooms.get('r')?.seq ?? 0 })
  expect(eve.document('r').game).toEqual({ sum: 1, own: 'playing' })
})

test('P3 ordered: a spectator who comes back on another connection to take a seat gets a STATE too', async () => {
  const face = `dropIn: true, everyone: (s) => ({ sum: s.context.sum }), only: (s, v) => ({ own: v === null ? 'watching' : 'playing' })`
  const { world, ann } = await startWorld(counter({ face }))
  const eve = world.gateway.connect('eve')
  await eve.join('r', { role: 'spectator' })
  await ann.move('r', 'add', 1)
  const at = eve.rooms.get('r')
  if (at === undefined) throw new Error('eve watches')
  const again = world.gateway.connect('eve')
  again.rooms.set('r', { ...at })
  await eve.drop()
  await again.join('r', { role: 'player', since: at.seq })
  expect(again.document('r').game).toEqual({ sum: 1, own: 'playing' })
})

test('P3 ordered: who is gone before the JOIN is logged is not kept as a connection', async () => {
  const { world } = await startWorld(counter())
  const bob = world.gateway.connect('bob')
  world.storage.hold()
  bob.send('r', [[OP.join, 1, 'r', {}]])
  await world.gateway.settle()
  world.gateway.publish((id) => ({ kind: 'detach', gateway: 'g1', id, room: 'r', conns: [bob.conn ?? 0] }))
  await world.gateway.settle()
  world.storage.release()
  await world.gateway.settle()
  expect(world.engine.rooms.here('r')?.attachments.watches('bob')).toBe(false)
  await world.clock.advance(6_000)
  expect(world.engine.rooms.here('r')?.state.members.bob?.connected).toBe(false)
})

test('P3 ordered: a JOIN with a since from before what its connection was sent meanwhile gets a STATE, not a PATCH again', async () => {
  const { world, ann } = await startWorld(counter())
  await ann.call('r', 'start')
  const since = ann.rooms.get('r')?.seq ?? 0
  world.storage.hold()
  ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
  ann.send('r', [[OP.join, ann.next(), 'r', { since }]])
  await world.gateway.settle()
  world.storage.release()
  await world.gateway.settle()
  expect(ann.document('r').game).toMatchObject({ sum: 1 })
  expect(ann.inbox.slice(-3).map(([op]) => op)).toEqual([OP.ok, OP.ok, OP.state])
  expect(world.gateway.violations).toEqual([])
})

test.each(['leaves', 'is removed'])(
  'P3 ordered: who moves and at once %s is shown the move before its OK',
  async (how) => {
    const { world, ann } = await startWorld(counter())
    const bob = world.gateway.connect('bob')
    await bob.join('r')
    await ann.call('r', 'start')
    world.storage.hold()
    // Under way, so that what comes now is taken up together.
    ann.send('r', [[OP.move, ann.next(), 'r', 'add', 1]])
    const heard = bob.inbox.length
    const move = bob.next()
    const frames: ClientFrame[] = [[OP.move, move, 'r', 'add', 2]]
    if (how === 'leaves') frames.push([OP.leave, bob.next(), 'r'])
    bob.send('r', frames)
    if (how === 'is removed') ann.send('r', [[OP.call, ann.next(), 'r', 'kick', { player: 'bob' }]])
    world.storage.release()
    await world.gateway.settle()
    const told = bob.inbox.slice(heard)
    const ok = told.findIndex(([op, ref]) => op === OP.ok && ref === move)
    expect(ok).toBeGreaterThan(0)
    const [, , seq] = told[ok] ?? []
    expect(told.slice(0, ok).findLast(([op]) => op === OP.patch)?.[3]).toBe(seq)
  },
)
