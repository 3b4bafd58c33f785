import { expect, test } from 'vitest'
import { type ClientFrame, OP } from '../../protocol/frames.ts'
import { counter } from './testing/games.ts'
import { startWorld } from './testing/start.ts'
import { World } from './testing/world.ts'

const started = async () => {
  const { world, ann } = await startWorld(counter())
  await ann.call('r', 'start')
  return { world, ann }
}

test.each(['the answer was lost', 'the engine died'])(
  'P2 exactly once: MOVE, CREATE, JOIN and CALL sent again after %s get the first OK',
  async (why) => {
    const world = await World.start([counter()])
    const ann = world.gateway.connect('ann')
    const twice = async (frame: ClientFrame): Promise<void> => {
      const first = await ann.ask('r', frame)
      expect(first).toHaveProperty('ok')
      const seq = world.engine.rooms.here('r')?.state.seq
      if (why === 'the engine died') await world.crash(['r'])
      const second = await ann.ask('r', frame)
      // A JOIN that changes nothing names the log's end.
      expect(second).toEqual(first)
      expect(world.engine.rooms.here('r')?.state.seq).toBe(seq)
    }
    await twice([OP.create, 1, 'counter'])
    await twice([OP.join, 2, 'r', {}])
    await twice([OP.call, 3, 'r', 'start'])
    await twice([OP.move, 4, 'r', 'add', 5])
    expect(world.gateway.violations).toEqual([])
  },
)

test('P2 exactly once: an append that was stored by an engine that died before its answer is not repeated by the next', async () => {
  const { world, ann } = await started()
  world.storage.hold()
  const frame: ClientFrame = [OP.move, ann.next(), 'r', 'add', 5]
  ann.send('r', [frame])
  await world.gateway.settle()
  world.engine.abandon()
  world.storage.release()
  await world.gateway.settle()
  await world.crash(['r'])
  expect(await ann.ask('r', frame)).toEqual({ ok: 4 })
  expect(ann.document('r').game).toMatchObject({ sum: 5 })
})

test('P2 exactly once: a request that is sent again while it is worked on, and an old copy that comes late, do nothing', async () => {
  const { world, ann } = await started()
  world.storage.hold()
  const frames: ClientFrame[] = [[OP.move, ann.next(), 'r', 'say', { text: 'x' }]]
  const id = ann.send('r', frames)
  await world.gateway.settle()
  ann.send('r', frames, id)
  await world.gateway.settle()
  world.storage.release()
  await world.gateway.answers(id)
  expect(ann.frames(OP.ok).filter(([, ref]) => ref === ann.ref)).toHaveLength(1)
  await ann.move('r', 'add', 1)
  const answered = ann.inbox.length
  ann.send('r', frames, id)
  await world.gateway.settle()
  expect(ann.inbox).toHaveLength(answered)
})

test('P2 exactly once: refs may arrive out of order within the window; other content under a ref is a conflict', async () => {
  const { ann, world } = await started()
  for (const ref of [20, 12, 17, 11, 30]) expect(await ann.ask('r', [OP.move, ref, 'r', 'add', 1])).toHaveProperty('ok')
  for (const ref of [12, 11, 20]) expect(await ann.ask('r', [OP.move, ref, 'r', 'add', 1])).toHaveProperty('ok')
  expect(world.engine.rooms.here('r')?.state.seq).toBe(8)
  expect(await ann.ask('r', [OP.move, 12, 'r', 'add', 2])).toMatchObject({ err: 'conflict' })
  expect(await ann.ask('r', [OP.move, 12, 'r', 'say', 1])).toMatchObject({ err: 'conflict' })
  expect(await ann.ask('r', [OP.leave, 12, 'r'])).toMatchObject({ err: 'conflict' })
  expect(world.engine.rooms.here('r')?.state.seq).toBe(8)
})

test('P2 exactly once: the last 64 answers are kept, also over a restart; an older ref is a conflict, never done again', async () => {
  const { world, ann } = await started()
  const refs = Array.from({ length: 70 }, (_, i) => i + 10)
  for (const ref of refs) await ann.ask('r', [OP.move, ref, 'r', 'add', 1])
  await world.crash(['r'])
  const kept: number[] = []
  for (const ref of refs) {
    const again = await ann.ask('r', [OP.move, ref, 'r', 'add', 1])
    if ('ok' in again) kept.push(ref)
    else expect(again.err).toBe('conflict')
  }
  expect(kept).toEqual(refs.slice(-64))
  expect(ann.document('r').game).toMatchObject({ sum: 70 })
})

test('P2 exactly once: a refusal does not consume its ref', async () => {
  const { ann } = await startWorld(counter())
  expect(await ann.ask('r', [OP.move, 50, 'r', 'add', 1])).toMatchObject({ err: 'illegal_move' })
  await ann.call('r', 'start')
  expect(await ann.ask('r', [OP.move, 50, 'r', 'jump'])).toMatchObject({ err: 'invalid_payload' })
  expect(await ann.ask('r', [OP.move, 50, 'r', 'add', 1])).toEqual({ ok: 4 })
})

test('P2 exactly once: eight sessions of a player are kept; the ninth takes the place of the one silent longest', async () => {
  const { world } = await started()
  const tabs = Array.from({ length: 9 }, () => world.gateway.connect('ann', { http: true }))
  const move = (n: number): Promise<unknown> => {
    const tab = tabs[n]
    if (tab === undefined) throw new Error('nine tabs')
    return tab.ask('r', [OP.move, 1, 'r', 'add', 1])
  }
  for (let n = 0; n < 8; n++) expect(await move(n)).toEqual({ ok: 4 + n })
  // Eight here, and the first session: the oldest is gone, these are not.
  for (let n = 1; n < 8; n++) expect(await move(n)).toEqual({ ok: 4 + n })
  expect(await move(8)).toEqual({ ok: 12 })
  for (let n = 1; n < 9; n++) expect(await move(n)).toEqual({ ok: 4 + n })
  expect(world.engine.rooms.here('r')?.state.seq).toBe(12)
})

test('P2 exactly once: a JOIN that is sent again when its player was removed gets the first OK, and a NOTE that says so in place of a document', async () => {
  const world = await World.start([counter()])
  const [ann, bob] = [world.gateway.connect('ann'), world.gateway.connect('bob')]
  await ann.create('r', 'counter')
  await ann.join('r')
  const frame: ClientFrame = [OP.join, 7, 'r', {}]
  const first = await bob.ask('r', frame)
  await ann.call('r', 'kick', { player: 'bob' })
  const again = world.gateway.connect('bob', { session: bob.session })
  expect(await again.ask('r', frame)).toEqual(first)
  expect(again.frames(OP.note)).toEqual([[OP.note, 'r', 'kicked', null]])
  expect(again.frames(OP.state)).toEqual([])
})

test('P2 exactly once: a copy of a JOIN over HTTP that comes after the LEAVE does not bring the player back', async () => {
  const { world } = await startWorld(counter())
  const bob = world.gateway.connect('bob', { http: true })
  await bob.join('r')
  const again: ClientFrame[] = [[OP.join, bob.next(), 'r', {}]]
  const id = bob.send('r', again)
  await world.gateway.answers(id)
  await bob.leave('r')
  bob.send('r', again, id)
  await world.gateway.settle()
  expect(world.engine.rooms.here('r')?.state.players).toEqual(['ann'])
  expect(await bob.join('r')).toMatchObject({ ok: { role: 'player' } })
})

test('P2 exactly once: a copy of a JOIN that changed nothing, and comes after the LEAVE, does not bring the player back; also at the next engine', async () => {
  const { world, ann } = await startWorld(counter())
  const again: ClientFrame = [OP.join, ann.next(), 'r', {}]
  expect(await ann.ask('r', again)).toHaveProperty('ok')
  expect(await ann.ask('r', [OP.leave, ann.next(), 'r'])).toHaveProperty('ok')
  await world.crash(['r'])
  expect(await ann.ask('r', again)).toMatchObject({ err: 'conflict' })
  expect(world.engine.rooms.here('r')?.state.members).not.toHaveProperty('ann')
  expect(await ann.ask('r', [OP.join, ann.next(), 'r', {}])).toHaveProperty('ok')
  expect(world.engine.rooms.here('r')?.state.members).toHaveProperty('ann')
  expect(world.gateway.violations).toEqual([])
})

test('P2 exactly once: a JOIN that comes after a later LEAVE of its session does not bring back who has left a running game', async () => {
  const { world, ann } = await startWorld(counter())
  await world.gateway.connect('bob').join('r')
  await ann.call('r', 'start')
  const late: ClientFrame = [OP.join, ann.next(), 'r', {}]
  expect(await ann.ask('r', [OP.leave, ann.next(), 'r'])).toHaveProperty('ok')
  expect(await ann.ask('r', late)).toMatchObject({ err: 'conflict' })
  expect(world.engine.rooms.here('r')?.state.members.ann?.connected).toBe(false)
  expect(await ann.ask('r', [OP.join, ann.next(), 'r', {}])).toHaveProperty('ok')
  expect(world.engine.rooms.here('r')?.state.members.ann?.connected).toBe(true)
})

test('P3 ordered: who leaves on one connection and is back on another before that is durable hears nothing more on the first', async () => {
  const { world, ann } = await startWorld(counter())
  const [bob, back] = [world.gateway.connect('bob'), world.gateway.connect('ann')]
  await bob.join('r')
  await ann.call('r', 'start')
  world.storage.hold()
  bob.send('r', [[OP.move, bob.next(), 'r', 'add', 1]])
  const left = ann.send('r', [[OP.leave, ann.next(), 'r']])
  const joined = back.send('r', [[OP.join, back.next(), 'r', {}]])
  world.storage.release()
  await world.gateway.answers(left)
  await world.gateway.answers(joined)
  const heard = ann.inbox.length
  expect(await bob.move('r', 'add', 2)).toHaveProperty('ok')
  await world.gateway.settle()
  expect(ann.inbox.slice(heard)).toEqual([])
  expect(back.document('r').game).toMatchObject({ sum: 3 })
})

test('P2 exactly once: the same session string of another player is another session', async () => {
  const { world, ann } = await started()
  const bob = world.gateway.connect('bob', { session: ann.session })
  expect(await ann.ask('r', [OP.move, 9, 'r', 'add', 1])).toEqual({ ok: 4 })
  expect(await bob.ask('r', [OP.move, 9, 'r', 'add', 1])).toMatchObject({ err: 'not_member' })
})

test('P2 exactly once: a CREATE under a used ref with other content is a conflict', async () => {
  const { world, ann } = await started()
  expect(await ann.ask('r', [OP.create, 1, 'counter', undefined, { public: true }])).toMatchObject({ err: 'conflict' })
  expect(await world.gateway.connect('bob').ask('r', [OP.create, 1, 'counter'])).toMatchObject({ err: 'conflict' })
})

test('P2 exactly once: a request whose record lands after its room was given up is answered, also when it is sent again', async () => {
  const { world, ann } = await startWorld(counter())
  await world.gateway.connect('bob').join('r')
  await ann.call('r', 'start')
  world.storage.hold()
  const frame: ClientFrame = [OP.move, ann.next(), 'r', 'add', 5]
  const id = ann.send('r', [frame])
  await world.gateway.settle()
  const forgotten = world.engine.forgetPlayer('bob')
  await world.clock.advance(6_000)
  await forgotten
  world.storage.release()
  await world.gateway.answers(id)
  for (let sends = 0; sends < 3; sends++) {
    ann.send('r', [frame], id)
    await world.clock.advance(1_000)
  }
  expect(ann.frames(OP.ok).at(-1)).toEqual([OP.ok, frame[1], 5])
  expect(ann.document('r').game).toMatchObject({ sum: 5 })
})
