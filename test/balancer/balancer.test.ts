import { describe, expect, test } from 'vitest'
import type { TransportName } from '../../client/client.ts'
import { TRANSPORTS } from '../../client/link.ts'
import { OP } from '../../protocol/frames.ts'
import { until } from '../program.ts'
import { Dice } from '../sim/dice.ts'
import { enter, sit } from '../transports/seats.ts'
import { settle, talking } from '../transports/talk.ts'
import type yard from '../wire/testing/yard/rules.ts'
import { balancerOfThisFile, HAPROXY } from './haproxy.ts'
import { siteOfThisFile } from './site.ts'

const { data, gateways } = await siteOfThisFile()
const balancer = balancerOfThisFile(() => gateways)

/** What each gateway was asked for by one transport: WebSockets that were opened, else requests. */
const asked = (transport: TransportName | 'send'): number[] =>
  gateways.map(({ server: { gateway } }) =>
    transport === 'websocket' ? gateway.counters.accepted : gateway.counters.http[transport].requests,
  )

const since = (before: readonly number[], now: readonly number[]): number[] => now.map((n, i) => n - (before[i] ?? 0))

describe.skipIf(HAPROXY === null)('behind a balancer that sends every request to the next gateway', () => {
  test.each(TRANSPORTS)('P2, P3: sessions by %s play at both, each move once and in order', async (transport) => {
    const [reads, sends] = [asked(transport), asked('send')]
    const sessions = await Promise.all(['Ann', 'Bob', 'Cho', 'Dan'].map((name) => sit(balancer.url, name, transport)))
    const { id, talkers } = await talking(sessions, new Dice(TRANSPORTS.indexOf(transport), 'balancer'))
    await until(() => talkers.every(({ acknowledged }) => acknowledged.length >= 15), 'fifteen moves of each')
    expect(await settle(data, id, talkers)).toBeGreaterThanOrEqual(60)
    expect(sessions.map(({ transport }) => transport.current)).toEqual(sessions.map(() => transport))
    for (const session of sessions) session.close()
    if (transport === 'websocket') return
    const [[reads1 = 0, reads2 = 0], [sends1 = 0, sends2 = 0]] = [
      since(reads, asked(transport)),
      since(sends, asked('send')),
    ]
    expect(Math.min(sends1, sends2)).toBeGreaterThanOrEqual(5)
    // Streams are few, and may all have come to the same.
    if (transport === 'sse') return
    expect(Math.min(reads1, reads2)).toBeGreaterThanOrEqual(5)
    const [one, two] = [reads1 + sends1, reads2 + sends2]
    expect(Math.abs(one - two)).toBeLessThan(0.1 * (one + two))
  })

  test('P3 polls go on from `since` at whichever gateway: a PATCH from there, and every EMIT once', async () => {
    using ann = await sit(balancer.url, 'Ann', 'websocket')
    const { room } = await enter<typeof yard>(ann, await ann.create('yard'))
    const headers = { authorization: `Bearer ${ann.token}`, 'madang-session': 'a-session-that-polls' }
    const poll = async (seq: number): Promise<unknown[][]> => {
      const answer = await fetch(`${balancer.url}/v1/poll?room=${room.id}&since=${seq}&wait=0`, { headers })
      expect(answer.status).toBe(200)
      return JSON.parse(await answer.text())
    }
    const before = asked('poll')
    const [state] = await poll(0)
    let at = Number(state?.[2])
    const heard: unknown[] = []
    for (let n = 0; n < 10; n++) {
      await room.move.say({ text: `said ${n}` })
      await room.move.shout({ text: `shouted ${n}` })
      const [first, ...emits] = await poll(at)
      expect(first?.slice(0, 3)).toEqual([OP.patch, room.id, at])
      at = Number(first?.[3])
      heard.push(...emits.map(([, , , event]) => Reflect.get(Object(event), 'text')))
    }
    expect(heard).toEqual(Array.from({ length: 10 }, (_, n) => `shouted ${n}`))
    for (const count of since(before, asked('poll'))) expect(count).toBeGreaterThanOrEqual(5)
  })

  test('a poll is held as long as it may be, and an event stream longer', async () => {
    using ann = await sit(balancer.url, 'Ann', 'websocket')
    const { room } = await enter<typeof yard>(ann, await ann.create('yard'))
    const headers = { authorization: `Bearer ${ann.token}`, 'madang-session': 'a-session-that-waits' }
    const stream = await fetch(`${balancer.url}/v1/sse?room=${room.id}`, { headers })
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    const began = performance.now()
    const held = await fetch(`${balancer.url}/v1/poll?room=${room.id}&since=${room.seq}&wait=30`, { headers })
    expect(held.status).toBe(204)
    expect(performance.now() - began).toBeGreaterThan(29_000)
    await room.move.say({ text: 'at last' })
    let heard = ''
    while (!heard.includes('at last')) heard += (await reader?.read())?.value ?? expect.fail('the stream ended')
    await reader?.cancel()
  })

  test('P1 to P3: one gateway after the other is restarted under play, and nobody drops, loses a move or is refused', async () => {
    const sessions = await Promise.all(TRANSPORTS.map((transport) => sit(balancer.url, `By ${transport}`, transport)))
    const { id, talkers } = await talking(sessions, new Dice(7, 'drain'))
    const dropped: string[] = []
    for (const { seen, session } of talkers)
      seen.room.subscribe(({ document: { room } }) => {
        for (const { name, connected } of Object.values(room.members))
          if (!connected) dropped.push(`${name} to ${session.id}`)
      })
    const statuses = new Set<number>()
    let isOver = false
    const headers = { authorization: `Bearer ${sessions[0]?.token}`, 'madang-session': 'a-session-that-asks' }
    const asking = (async () => {
      while (!isOver) statuses.add((await fetch(`${balancer.url}/v1/poll?room=${id}&wait=0`, { headers })).status)
    })()
    for (const [place, gateway] of gateways.entries()) {
      const before = TRANSPORTS.map((transport) => asked(transport)[1 - place])
      await gateway.stop()
      const moves = talkers.map(({ acknowledged }) => acknowledged.length)
      await until(
        () => talkers.every(({ acknowledged }, i) => acknowledged.length >= (moves[i] ?? 0) + 5),
        'all to play on at the other gateway',
      )
      // Where it was one of a kind, it came from the gateway that went: at the latest the second time.
      if (place === 1)
        for (const [i, transport] of TRANSPORTS.entries()) expect(asked(transport)[0]).toBeGreaterThan(before[i] ?? 0)
      await gateway.start()
      await until(() => gateway.server.gateway.counters.http.poll.requests > 0, 'the balancer to come back to it')
    }
    isOver = true
    await asking
    await settle(data, id, talkers)
    expect([...statuses]).toEqual([200])
    expect(dropped).toEqual([])
    expect(sessions.map(({ transport }) => transport.current)).toEqual([...TRANSPORTS])
    for (const session of sessions) session.close()
  })
})
