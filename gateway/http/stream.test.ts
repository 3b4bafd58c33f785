import { expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { rig } from '../testing/rig.ts'
import { Topics } from '../topics.ts'
import { eventText } from './event-text.ts'
import { HeldPoll } from './held-poll.ts'
import { type Chunks, HttpStream } from './stream.ts'

/** A gateway with responses that are held in memory. */
const responses = () => {
  const topics = new Topics()
  const gatewayRig = rig({ publish: (topic, bytes) => topics.publish(topic, bytes) })
  const { gateway, time, settle } = gatewayRig
  const reading = (player: string) => ({
    who: { player: { id: player, name: player }, guest: false, session: `session-of-${player}-0000000` },
    room: 'r',
    since: 0,
    presenceMs: 10_000,
  })

  /** A stream that has begun, and what its edge was told. */
  const stream = async (player: string) => {
    const told = { written: [] as string[], keeps: 0, is: 'open', ended: 0, isTaken: true }
    const socket = new HttpStream('r', topics, time, { bytesOut: 0 }, () => void told.ended++)
    const { peer, answered } = gateway.hold(reading(player), socket, '127.0.0.1')
    socket.peer = peer
    await settle()
    await answered
    const chunks: Chunks = {
      write(text) {
        told.written.push(text)
        return told.isTaken
      },
      keep: () => void told.keeps++,
      end: () => {
        told.is = 'ended'
      },
      cut: () => {
        told.is = 'cut'
      },
    }
    socket.begin(chunks)
    return { socket, told }
  }
  const poll = async (player: string, waitMs: number) => {
    const socket = new HeldPoll('r', topics, time, waitMs)
    const { peer, answered } = gateway.hold({ ...reading(player), since: 1 }, socket, '127.0.0.1')
    socket.peer = peer
    const state = { frames: null as readonly Uint8Array[] | null }
    void socket.ended.then((frames) => {
      state.frames = frames
    })
    await settle()
    expect(await answered).toEqual([])
    return state
  }
  /** Lets seconds pass in which the engine is heard of. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await time.advance(1_000)
      gatewayRig.engine.heartbeat()
    }
  }
  return { ...gatewayRig, stream, poll, pass }
}

test('an idle stream gets a comment at least every 15 s, and lives as long as its peer takes them', async () => {
  const { stream, time, gateway } = responses()
  const { told } = await stream('ann')
  told.written.length = 0
  let quiet = 0
  let longest = 0
  for (let second = 0; second < 300; second++) {
    const before = told.written.length
    await time.advance(1_000)
    quiet = told.written.length > before ? 0 : quiet + 1
    longest = Math.max(longest, quiet)
  }
  expect(longest).toBeLessThanOrEqual(15)
  expect(new Set(told.written)).toEqual(new Set([':\n\n']))
  expect([told.is, gateway.held().connections]).toEqual(['open', 1])
})

test('P5 after a refused write nothing is written, no comment either, and after 30 s the stream is cut', async () => {
  const { stream, time, pass, engine, settle, gateway } = responses()
  const { told } = await stream('ann')
  const conn = engine.reads[0]?.attach?.conn ?? 0
  told.isTaken = false
  engine.say(
    engine.output('r', 2, [conn], { document: [1, 2], emits: [[37, 'r', 2, { type: 'bell' }]] }),
    engine.output('r', 3, [conn], { document: [2, 3], ephemeral: [[40, 'r', 'chat', {}]] }),
  )
  await settle()
  const writes = told.written.length
  await pass(29)
  expect([told.written.length, told.is, told.keeps]).toEqual([writes, 'open', 5])
  expect(engine.attaches).toEqual([])
  await time.advance(1_000)
  expect([told.is, told.ended, gateway.held().connections]).toEqual(['cut', 1, 0])
  expect(engine.detaches.map(({ conns }) => conns)).toEqual([[conn]])
  await time.advance(60_000)
  expect([told.written.length, told.keeps]).toEqual([writes, 5])
})

test('P5 one that catches up is attached from nothing and stays; the others of its audience miss nothing meanwhile', async () => {
  const { stream, pass, engine, settle } = responses()
  engine.onRequest = (request) => {
    if (request.kind !== 'read') return engine.obey(request)
    engine.say(engine.answer(request, [[35, 'r', 1, {}]], { role: 'spectator', seq: 1, heard: 1 }))
  }
  const slow = await stream('ann')
  const other = await stream('bob')
  slow.told.isTaken = false
  for (let seq = 2; seq <= 5; seq++) engine.say(engine.output('r', seq, 'spectators', { document: [seq - 1, seq] }))
  await settle()
  // The STATE, then the one that was refused.
  expect(slow.told.written.length).toBe(2)
  expect(other.told.written.join('').match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4', 'id: 5'])
  await pass(20)
  slow.told.isTaken = true
  slow.socket.send(encode([40, 'r', 'too late', null]))
  slow.socket.writable()
  slow.socket.writable()
  await settle()
  expect(engine.attaches.flatMap(({ members }) => members)).toMatchObject([
    { player: { id: 'ann' }, since: 0, heard: 5, role: 'spectator', as: 'stream' },
  ])
  await pass(60)
  expect([slow.told.is, other.told.is]).toEqual(['open', 'open'])
  expect(slow.told.written.join('')).not.toContain('too late')
})

test('a drain ends a stream after its BYE, and cuts one that is blocked', async () => {
  const { stream, gateway, engine, time, settle } = responses()
  const slow = await stream('ann')
  const other = await stream('bob')
  slow.told.isTaken = false
  engine.say(engine.output('r', 2, [engine.reads[0]?.attach?.conn ?? 0], { document: [1, 2] }))
  await settle()
  const drained = gateway.drain()
  await time.advance(3_000)
  await drained
  expect([slow.told.is, other.told.is]).toEqual(['cut', 'ended'])
  expect(other.told.written.at(-1)).toContain('[41,"restarting"')
})

test('what is written in one turn is one write', async () => {
  const { stream, engine, settle } = responses()
  const { told } = await stream('ann')
  const conn = engine.reads[0]?.attach?.conn ?? 0
  told.written.length = 0
  engine.say(engine.output('r', 2, [conn], { document: [1, 2], emits: [[37, 'r', 2, { type: 'bell' }]] }))
  await settle()
  expect(told.written.map((text) => text.match(/^data: \[\d+/gm))).toEqual([['data: [36', 'data: [37']])
})

test('a frame becomes text once, however many streams it goes to', () => {
  const bytes = encode([35, 'r', 7, { text: 'a' }])
  const text = eventText(bytes)
  bytes[bytes.length - 1] = 0x62
  expect(eventText(bytes)).toBe(text)
  expect(eventText(bytes.slice())).toContain('"b"')
})

test('a held poll ends at the end of its wait to the millisecond, and CASTs alone end it 100 ms after the first', async () => {
  const { poll, time, pass, engine, gateway } = responses()
  const idle = await poll('ann', 25_000)
  await pass(24)
  await time.advance(999)
  expect(idle.frames).toBeNull()
  await time.advance(1)
  expect(idle.frames).toEqual([])
  expect(gateway.held().connections).toBe(0)

  const busy = await poll('bob', 25_000)
  const conn = engine.reads[1]?.attach?.conn ?? 0
  for (let n = 0; n < 3; n++) {
    engine.say(engine.output('r', 1, [conn], { ephemeral: [[38, 'r', 'ann', 'stroke', n]] }))
    await time.advance(33)
    expect(busy.frames).toBeNull()
  }
  await time.advance(1)
  expect(busy.frames).toHaveLength(3)
})

test('P5 what a poll gathers is bounded: CASTs above 16 KiB are dropped, a document is not', async () => {
  const { poll, engine, settle, gateway } = responses()
  const held = await poll('ann', 25_000)
  const conn = engine.reads[0]?.attach?.conn ?? 0
  for (let n = 0; n < 50; n++)
    engine.say(engine.output('r', 1, [conn], { ephemeral: [[38, 'r', 'bob', 'stroke', 'x'.repeat(2_000)]] }))
  engine.say(engine.output('r', 2, [conn], { document: [1, 2] }))
  await settle()
  expect(held.frames).toHaveLength(10)
  expect(gateway.counters.dropsEphemeral).toBe(41)
})
