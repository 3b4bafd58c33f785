import { expect, vi } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import { Client } from './client.ts'
import type { DirectLinks } from './direct.ts'
import { open, playerOf, spectatorOf } from './engine.ts'
import { startNodes } from './node.ts'

export const SOON = { timeout: 20_000, interval: 20 }

/** One room at two nodes: ann is at home, at m1; bob and the spectator sam are at m2. All see and hear all. */
export const startTwo = async (bus?: Bus) => {
  const { engine, nodes } = startNodes(['m1', 'm2'], bus === undefined ? {} : { bus })
  const [home, other] = nodes
  if (home === undefined || other === undefined) throw new Error('no nodes')
  for (const player of ['bob', 'sam']) engine.place(player, 'm2')
  await engine.lease(open('ann', 'bob'))
  const [ann, bob, sam] = [playerOf('ann'), playerOf('bob'), spectatorOf('sam')].map((who) => new Client(engine, who))
  if (ann === undefined || bob === undefined || sam === undefined) throw new Error('nobody')
  for (const client of [ann, bob, sam]) await client.join()
  return { engine, home, other, ann, bob, sam }
}

/** The same, where ann's camera comes to bob, and his voice to her: `flow` resolves once packets of both have. */
export const startFacing = async () => {
  const two = await startTwo()
  const { home, other, ann, bob } = two
  const [camera, voice] = [await ann.publish('camera'), await bob.publish('microphone')]
  await Promise.all([shown(bob, camera), shown(ann, voice)])
  const [seen, heard] = [await bob.watch(camera), await ann.watch(voice)]
  const flow = async () => {
    await flows(home.links, camera, other.links, seen)
    await flows(other.links, voice, home.links, heard)
  }
  await flow()
  return { ...two, camera, voice, seen, heard, flow }
}

/** Resolves once this client knows of the track. */
export const shown = (client: Client, track: string) =>
  vi.waitFor(() => expect(client.states.at(-1)?.tracks.map(({ track: id }) => id)).toContain(track), SOON)

/** Resolves once a packet that is pushed now, or one of the next, has come out of the consumer. */
export const flows = async (from: DirectLinks, track: string, to: DirectLinks, consumer: string) => {
  const before = to.received(consumer)
  await vi.waitFor(() => {
    from.push(track)
    expect(to.received(consumer)).toBeGreaterThan(before)
  }, SOON)
}

/** Pushes packets, and waits until they are out of the worker that they came into. */
export const push = async (from: DirectLinks, tracks: readonly string[]) => {
  for (let i = 0; i < 20; i++) for (const track of tracks) from.push(track)
  await from.drained()
}
