import { afterEach, expect, test, vi } from 'vitest'
import { CONSUMERS_PER_WORKER } from './limits.ts'
import { Client } from './testing/client.ts'
import { closed, open, playerOf, spectatorOf } from './testing/engine.ts'
import { endAll, startNode } from './testing/node.ts'

const SOON = { timeout: 20_000, interval: 20 }

afterEach(endAll)

const OWNERS = ['ann', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gus', 'hal']

test('a room that outgrows a worker goes on at another: tracks reach both, and the policy holds at both', async () => {
  const { engine, links, node } = startNode({ size: 2 })
  await engine.lease(open(...OWNERS))
  const owners = OWNERS.map((id) => new Client(engine, playerOf(id)))
  for (const owner of owners) await owner.join()
  await vi.waitFor(() => expect(node.workers).toHaveLength(2), SOON)
  const tracks: string[] = []
  for (const owner of owners)
    for (const source of ['camera', 'microphone'] as const) tracks.push(await owner.publish(source))
  const audience = Array.from({ length: Math.ceil(CONSUMERS_PER_WORKER / tracks.length) }, (_, n) => `s${n}`)
  for (const id of audience) {
    const spectator = new Client(engine, spectatorOf(id))
    await spectator.join()
    await Promise.all(tracks.map((track) => spectator.watch(track)))
  }
  const late = new Client(engine, spectatorOf('late'))
  await late.join()
  const far = await Promise.all(tracks.map((track) => late.watch(track)))
  const near = await owners[0]?.watch(tracks.at(-1) ?? '')
  expect(node.workers.map(({ consumers }) => consumers).sort((a, b) => a - b)).toEqual([
    tracks.length,
    tracks.length * audience.length + 1,
  ])

  const push = () => {
    for (const track of tracks) links.push(track)
  }
  // Between workers they go over UDP.
  await vi.waitFor(() => {
    push()
    for (const consumer of [...far, near ?? '']) expect(links.received(consumer)).toBeGreaterThan(0)
  }, SOON)
  await engine.lease(closed(...OWNERS))
  await links.drained()
  const before = [...links.packets.values()]
  for (let i = 0; i < 20; i++) push()
  await links.drained()
  expect([...links.packets.values()]).toEqual(before)

  await engine.lease(open(...OWNERS))
  const heard = far.map((consumer) => links.received(consumer))
  await vi.waitFor(() => {
    push()
    for (const [at, consumer] of far.entries()) expect(links.received(consumer)).toBeGreaterThan(heard[at] ?? 0)
  }, SOON)

  process.kill(node.workers.find(({ consumers }) => consumers === tracks.length)?.pid ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(engine.told(late.who, 'moved')).toEqual([null]), SOON)
  expect(engine.told(playerOf('ann'), 'moved')).toEqual([null])
  await late.join()
})
