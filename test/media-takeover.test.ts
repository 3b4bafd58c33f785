import { expect, test } from 'vitest'
import { z } from 'zod'
import { connect, MadangError, type Room } from '../client/client.ts'
import { RECEIVES_ALL, rtpParametersOf } from '../media/testing/direct.ts'
import { startCluster } from './faults/cluster.ts'

const State = z.object({ peer: z.string(), tracks: z.array(z.object({ track: z.string() })) })
const Joined = z.object({ peer: z.string() })
const Produced = z.object({ track: z.string() })
const Consumed = z.object({ consumer: z.string() })
const Stats = z.object({ receive: z.array(z.object({ consumer: z.string() })) })

/** The answer, once somebody has the room; any refusal but `unavailable` is one. */
const call = async (room: Room, method: string, params: unknown = {}): Promise<unknown> => {
  for (;;)
    try {
      return await room.call(`media.${method}`, params)
    } catch (error) {
      if (!(error instanceof MadangError) || error.code !== 'unavailable') throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
}

test('kill -9 of each engine in turn, with two media nodes: who is on video stays on video, and receives what it received', async () => {
  await using cluster = await startCluster({ gateways: 1, engines: 2, media: 2, nats: 1 })
  const sessions = ['Ann', 'Bob'].map((guest) => connect({ url: cluster.url, guest, deadline: 60_000 }))
  const [ann, bob] = sessions
  if (ann === undefined || bob === undefined) throw new Error('nobody')
  try {
    // Some of several rooms are each engine's.
    const tables = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const id = await ann.create('tictactoe')
        const [a, b] = [await ann.join(id), await bob.join(id)]
        const [publisher, viewer] = [Joined.parse(await call(a, 'join')), Joined.parse(await call(b, 'join'))]
        const rtpParameters = rtpParametersOf('audio', 1_000)
        const microphone = { kind: 'audio', source: 'microphone', rtpParameters }
        const { track } = Produced.parse(await call(a, 'produce', microphone))
        const { consumer } = Consumed.parse(await call(b, 'consume', { track, rtpCapabilities: RECEIVES_ALL }))
        return { a, b, publisher, viewer, track, consumer }
      }),
    )
    const goesOn = async () => {
      for (const { a, b, publisher, viewer, track, consumer } of tables) {
        const own = await call(a, 'state', { peer: publisher.peer, v: 0 })
        expect(own).toMatchObject({ mine: [{ track, unseen: false }] })
        const seen = State.parse(await call(b, 'state', { peer: viewer.peer, v: 0 }))
        expect(seen.tracks.map(({ track: id }) => id)).toEqual([track])
        expect(Stats.parse(await call(b, 'stats')).receive.map(({ consumer: id }) => id)).toEqual([consumer])
      }
    }
    await goesOn()
    for (const engine of cluster.members.filter(({ role }) => role === 'engine')) {
      await engine.program.kill('SIGKILL')
      await goesOn()
      await engine.restart()
      await goesOn()
    }
  } finally {
    for (const session of sessions) session.close()
  }
})
