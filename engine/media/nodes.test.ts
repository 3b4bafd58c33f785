import { expect, test } from 'vitest'
import { localBus } from '../../bus/local.ts'
import { OP } from '../../protocol/frames.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { testChance } from '../log/conformance-values.ts'
import { memoryStorage } from '../log/memory.ts'
import { Engine } from '../partition/engine.ts'
import { soleOwnership } from '../partition/sole.ts'
import { counter } from '../partition/testing/games.ts'
import { ScriptedGateway } from '../partition/testing/gateway.ts'
import { ScriptedMediaNode } from '../partition/testing/medianode.ts'

/** An engine that may be paused, with ann on video at the first of two media nodes, and bob beside her. */
const onAir = async () => {
  const [clock, bus] = [virtualClock(), localBus()]
  let isPaused = false
  const [timers, messages]: (() => void)[][] = [[], []]
  const unlessPaused = (held: (() => void)[] | undefined, task: () => void) => (isPaused ? held?.push(task) : task())
  let isSure = true
  await Engine.start({
    id: 'e1',
    ownership: Object.defineProperty(soleOwnership(1), 'isSure', { get: () => isSure }),
    bus: { ...bus, subscribe: (to, hear) => bus.subscribe(to, (said) => unlessPaused(messages, () => hear(said))) },
    clock: { ...clock, after: (ms, task) => clock.after(ms, () => unlessPaused(timers, task)) },
    storage: memoryStorage({ chance: testChance }),
    chance: testChance,
    games: [counter()],
    clusterKey: new Uint8Array(32),
    report: () => {},
  })
  // Its beats fall between those of the nodes.
  await clock.advance(500)
  let silent = ''
  const nodes = [0, 1].map((load) => {
    const id = `n${load}`
    const publish: typeof bus.publish = (to, said) => {
      if (said.kind !== 'media-beat' || id !== silent) bus.publish(to, said)
    }
    const node = new ScriptedMediaNode(id, { ...bus, publish }, clock)
    node.says({ load })
    return node
  })
  const gateway = new ScriptedGateway('g1', bus, clock)
  const [ann, bob] = [gateway.connect('ann'), gateway.connect('bob')]
  await ann.create('r', 'counter')
  await ann.join('r')
  await bob.join('r')
  await ann.call('r', 'media.join')
  return {
    clock,
    bob,
    moves: () => ann.frames(OP.note).filter(([, , topic]) => topic === 'media.moved').length,
    nodes,
    /** It beats no more, and acknowledges what it is told. */
    silence(node: string) {
      silent = node
    },
    pause() {
      isPaused = true
    },
    /** Whether no other engine can have taken over. */
    be(sure: boolean) {
      isSure = sure
    },
    /** As a process does it: what fell due comes first, then what arrived. */
    async wake() {
      isPaused = false
      for (const task of [timers, messages].flatMap((held) => held?.splice(0) ?? [])) {
        task()
        await clock.advance(0)
      }
    },
  }
}

test('an engine that was paused for 5 s keeps its media nodes: who joined meanwhile is let in, and no room moves', async () => {
  const { clock, bob, moves, nodes, pause, wake } = await onAir()
  await clock.advance(10_300)
  pause()
  bob.send('r', [[OP.call, 70, 'r', 'media.join', {}]])
  await clock.advance(5_000)
  await wake()
  await clock.advance(10_000)
  expect(bob.frames(OP.err)).toEqual([])
  expect(nodes[0]?.calls.map(({ peer }) => peer.player)).toEqual(['ann', 'bob'])
  expect(moves()).toBe(0)
  expect(nodes[1]?.heard).toEqual([])
})

test('an engine that is not sure of its rooms for 6 s, as while the ledger has no leader, moves no video', async () => {
  const { clock, moves, nodes, be } = await onAir()
  await clock.advance(10_300)
  const before = nodes[0]?.leases.length
  be(false)
  await clock.advance(6_000)
  expect(nodes[0]?.leases).toHaveLength(before ?? 0)
  be(true)
  await clock.advance(5_000)
  expect(nodes[0]?.leases.length).toBeGreaterThan(before ?? 0)
  expect(moves()).toBe(0)
  expect(nodes[1]?.heard).toEqual([])
})

test('a node whose beats end is gone after 3 to 4 s: its rooms move with their next lease', async () => {
  const { clock, moves, nodes, silence } = await onAir()
  await clock.advance(10_000)
  silence('n0')
  await clock.advance(2_900)
  expect(moves()).toBe(0)
  await clock.advance(2_100)
  expect(moves()).toBe(1)
  expect(nodes[1]?.leases.length).toBeGreaterThan(0)
})
