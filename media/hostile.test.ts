import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../test/property.ts'
import { PEERS_PER_PLAYER } from './limits.ts'
import { openWebRtc } from './link.ts'
import { METHODS } from './signalling.ts'
import { Client } from './testing/client.ts'
import { RECEIVES_ALL, rtpParametersOf } from './testing/direct.ts'
import { open, playerOf, type StandInEngine, spectatorOf } from './testing/engine.ts'
import { endAll, startNode } from './testing/node.ts'

afterEach(endAll)

const FINGERPRINT = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') }
const NAMES = [...METHODS.keys()].map((name) => name.replace('media.', ''))

/** Ann and Bob on WebRTC transports, Ann with a camera that Bob receives, and calls that are all fine. */
const room = async () => {
  const { engine, node } = startNode({ openLink: openWebRtc })
  await engine.lease(open('ann', 'bob', 'eve'))
  const [ann, bob] = [new Client(engine, playerOf('ann')), new Client(engine, playerOf('bob'))]
  await bob.join()
  const theirs = await bob.publish('microphone')
  /** Ann joins, and what she may then call, by method. */
  const enter = async () => {
    // Bob would end if he were silent for long.
    await bob.call('stats')
    const { receive, peer } = await ann.join()
    const track = await ann.publish('camera')
    const consumer = await ann.watch(theirs)
    const good: Record<string, unknown> = {
      join: {},
      connect: { transport: receive.id, dtlsParameters: { role: 'client', fingerprints: [FINGERPRINT] } },
      produce: { kind: 'video', source: 'screen', rtpParameters: rtpParametersOf('video', 77), muted: false },
      mute: { track, muted: true },
      close: { track },
      consume: { track: theirs, rtpCapabilities: RECEIVES_ALL },
      resume: { consumer },
      suspend: { consumer },
      layers: { consumer, spatial: 1, temporal: 1 },
      restart: { transport: receive.id },
      stats: {},
      state: { peer, v: 1 },
      leave: {},
    }
    return { good, track }
  }
  return { engine, node, ann, bob, enter, ...(await enter()) }
}

/** A call whose effect is known: the worker is alive, and its channel is not spoiled. */
const isWell = async (engine: StandInEngine): Promise<void> => {
  const eve = new Client(engine, playerOf('eve'))
  await eve.join()
  await eve.publish('camera')
  await eve.publish('microphone')
  await eve.call('stats')
  await eve.call('leave')
}

test('each method takes what is fine', async () => {
  const { engine, ann, good } = await room()
  for (const name of NAMES.filter((each) => !['join', 'leave', 'close'].includes(each)))
    expect(await engine.call(ann.who, name, good[name]), name).toHaveProperty('value')
})

const odd = fc.oneof(
  fc.anything(),
  fc.constantFrom(
    ...[null, undefined, '', 'x'.repeat(10_000), -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, [], {}, true],
    ...['__proto__', '\u0000', '💥', 'video/rtx', 'video/VP9', 'audio/opus', 'L3T3', 'S9T9'],
  ),
)

/** The same value with something in it replaced, dropped or doubled. */
const spoilt = (value: unknown): fc.Arbitrary<unknown> => {
  if (Array.isArray(value)) {
    if (value.length === 0) return odd
    return fc.oneof(
      odd,
      fc.constant([]),
      fc.nat(20).map((times) => Array.from({ length: times }, () => value).flat()),
      fc.nat(value.length - 1).chain((at) => spoilt(value[at]).map((bad) => value.with(at, bad))),
    )
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return odd
    return fc.oneof(
      { weight: 1, arbitrary: odd },
      {
        weight: 1,
        arbitrary: fc.nat(entries.length - 1).map((at) => Object.fromEntries(entries.filter((_, each) => each !== at))),
      },
      {
        weight: 8,
        arbitrary: fc
          .nat(entries.length - 1)
          .chain((at) => spoilt(entries[at]?.[1]).map((bad) => ({ ...value, [entries[at]?.[0] ?? '']: bad }))),
      },
    )
  }
  return odd
}

test(
  'whatever params a hostile client sends to whatever method, it gets an answer, and the worker and its channel are well',
  async () => {
    const { engine, node, ann, good, enter } = await room()
    let fine = good
    const pids = node.workers.map(({ pid }) => pid)
    const codes = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NAMES), fc.gen(), async (name, drawn) => {
        const answer = await engine.call(ann.who, name, drawn(spoilt, fine[name]))
        if ('refused' in answer) {
          codes.add(answer.refused.code)
          expect(answer.refused.code, answer.refused.message).not.toBe('internal')
          expect(answer.refused.message.length).toBeLessThanOrEqual(200)
        }
        if (name === 'leave' || name === 'join') fine = (await enter()).good
      }),
      { numRuns: 1_000, ...TOLD_WITH_SEED },
    )
    await isWell(engine)
    expect(node.workers.map(({ pid }) => pid)).toEqual(pids)
    expect([...codes]).toContain('invalid_payload')
  },
  PROPERTY_TEST_MS,
)

test.for([
  ['a codec that the room does not speak', { codecs: [{ mimeType: 'video/AV9', payloadType: 99, clockRate: 90_000 }] }],
  [
    'retransmission of nothing',
    { codecs: [{ mimeType: 'video/rtx', payloadType: 99, clockRate: 90_000, parameters: { apt: 98 } }] },
  ],
  ['an encoding without ssrc and rid', { encodings: [{}] }],
  ['the same ssrc twice', { encodings: [{ ssrc: 5 }, { ssrc: 5 }] }],
  ['sound as video', { codecs: rtpParametersOf('audio', 5).codecs }],
  ['hundreds of layers', { encodings: [{ ssrc: 5, scalabilityMode: 'L100T100' }] }],
] as const)('%s is refused, and the worker is well', async ([, bad]) => {
  const { engine, ann } = await room()
  const rtpParameters = { ...rtpParametersOf('video', 5), ...bad }
  const answer = await engine.call(ann.who, 'produce', { kind: 'video', source: 'screen', rtpParameters })
  expect(answer).toMatchObject({ refused: { code: 'invalid_payload' } })
  await isWell(engine)
})

test('a second connect, an ssrc that is used, and a transport of somebody else are refused with what is wrong', async () => {
  const { engine, ann, bob, good } = await room()
  await ann.call('connect', good.connect)
  expect(await engine.call(ann.who, 'connect', good.connect)).toMatchObject({ refused: { code: 'invalid_payload' } })
  expect(await engine.call(bob.who, 'connect', good.connect)).toMatchObject({ refused: { code: 'not_found' } })
  await ann.call('produce', good.produce)
  const camera = { ...Object(good.produce), source: 'camera' }
  expect(await engine.call(ann.who, 'produce', camera)).toMatchObject({ refused: { code: 'invalid_payload' } })
})

test('spectators publish nothing, and nobody touches a track that is not theirs', async () => {
  const { engine, bob, track } = await room()
  const sam = new Client(engine, spectatorOf('sam'))
  expect((await sam.join()).send).toBe(null)
  await expect(sam.publish('camera')).rejects.toThrow('forbidden')
  await expect(bob.call('close', { track })).rejects.toThrow('forbidden')
  await expect(bob.call('mute', { track, muted: true })).rejects.toThrow('forbidden')
})

test('a player who publishes a source again, also from another tab, has one track of it', async () => {
  const { engine, node, ann } = await room()
  const before = node.counts().producers
  await ann.publish('camera')
  const other = new Client(engine, { ...ann.who, session: 'another-tab-of-ann' })
  const { peer } = await other.join()
  await other.publish('camera')
  expect(node.counts().producers).toBe(before)
  expect((await other.state(peer)).mine).toHaveLength(1)
})

test('a player has a few peers at once: of more, the one that was silent longest ends', async () => {
  const { engine, node } = await room()
  const tabs = Array.from(
    { length: PEERS_PER_PLAYER + 3 },
    (_, tab) => new Client(engine, { ...playerOf('tab'), session: `tab-${tab}`.padEnd(16, '-') }),
  )
  for (const tab of tabs) await tab.join()
  expect(node.counts().peers).toBe(2 + PEERS_PER_PLAYER)
  await tabs.at(-1)?.publish('camera')
})

test('joining and leaving, again and again, leaves nothing behind', async () => {
  const { engine, node, good } = await room()
  const before = node.counts()
  for (let i = 0; i < 20; i++) {
    const eve = new Client(engine, { ...playerOf('eve'), session: `eve-${i}`.padEnd(16, '-') })
    await eve.join()
    await eve.publish('camera')
    await eve.call('consume', good.consume)
    await eve.call('leave')
  }
  expect(node.counts()).toEqual(before)
  expect(node.workers.map(({ consumers }) => consumers)).toEqual([before.consumers])
})

test('a session that sends faster than it is answered is refused, and goes on', async () => {
  const { engine, ann } = await room()
  const answers = await Promise.all(Array.from({ length: 200 }, () => engine.call(ann.who, 'stats')))
  const refused = answers.filter((answer) => 'refused' in answer)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]).toMatchObject({ refused: { code: 'rate_limited', detail: { retryAfter: 1_000 } } })
  await ann.call('stats')
})

test('a method that there is not is refused', async () => {
  const { engine, ann } = await room()
  for (const name of ['nothing', '__proto__', 'toString'])
    expect(await engine.call(ann.who, name)).toMatchObject({ refused: { code: 'not_found' } })
})
