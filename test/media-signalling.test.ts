import { pino } from 'pino'
import { expect, test } from 'vitest'
import { localBus } from '../bus/local.ts'
import type { MediaCall } from '../bus/media-messages.ts'
import { mediaNodeSubject } from '../bus/subjects.ts'
import { seededChance } from '../client/testing/chance.ts'
import { memoryStorage } from '../engine/log/memory.ts'
import { Engine } from '../engine/partition/engine.ts'
import { ScriptedMediaNode } from '../engine/partition/testing/medianode.ts'
import { loadGames } from '../engine/rules/load.ts'
import { createGateway } from '../gateway/gateway.ts'
import { memoryEdge } from '../gateway/testing/memory.ts'
import { decode, encode, SERVER_LIMITS } from '../protocol/codec.ts'
import { virtualClock } from './virtual-clock.ts'

const games = await loadGames(['games/mafia'])
const PLAYERS = ['ann', 'bob', 'cas', 'dan', 'eve']

/** A real gateway and engine with five players of one room, and a media node that a test plays. */
const here = async () => {
  const clock = virtualClock()
  const bus = localBus()
  const chance = seededChance(7)
  const clusterKey = new Uint8Array(32)
  const storage = memoryStorage({ chance })
  await Engine.startAlone({ bus, storage, clock, chance, games, clusterKey, report: () => {} })
  const node = new ScriptedMediaNode('n1', bus, clock)
  const edge = memoryEdge(clock)
  const gateway = createGateway({
    ...{ id: 'g1', bus, clock, chance, clusterKey, publish: edge.publish },
    authenticator: { verify: async (name) => ({ id: name, name, guest: false }) },
    limits: { frame: 16_384, rate: 500 },
    log: pino({ level: 'silent' }),
  })
  /** All that happens, in order: frames at sockets, and what the node is told. */
  const order: { at: string; frame: unknown[] }[] = []
  const connect = (name: string) => {
    const socket = edge.connect(gateway)
    socket.onFrame = (bytes) => order.push({ at: name, frame: Array.from(Object(decode(bytes, SERVER_LIMITS))) })
    const send = (...frames: unknown[][]) => {
      for (const frame of frames) socket.send(encode(frame))
    }
    send([1, { v: 1, token: name, session: `session-of-${name}-0000` }])
    return { send, got: () => order.flatMap(({ at, frame }) => (at === name ? [frame] : [])) }
  }
  const clients = PLAYERS.map(connect)
  await clock.advance(10)
  const [host] = clients
  if (host === undefined) throw new Error('no host')
  host.send([2, 1, 'mafia', { night: 10 }])
  await clock.advance(10)
  const made = host.got().find(([op, ref]) => op === 33 && ref === 1)
  const { room } = Object(made?.[2])
  for (const client of clients) client.send([3, 2, room])
  await clock.advance(10)
  return { clock, bus, gateway, node, order, clients, host, room: String(room) }
}

test('a call goes from a socket to the node and back, holds up no move, and its NOTE comes to the same socket', async () => {
  const { clock, node, host, room } = await here()
  const calls: MediaCall[] = []
  node.onCall = (call) => {
    calls.push(call)
    return null
  }
  const before = host.got().length
  host.send([7, 3, room, 'media.join', {}], [7, 4, room, 'chat', { text: 'hi' }], [7, 5, room, 'start'])
  await clock.advance(100)
  const refs = () =>
    host
      .got()
      .slice(before)
      .flatMap(([op, ref]) => (op === 33 || op === 34 ? [ref] : []))
  expect(refs()).toEqual([4, 5])
  const [call] = calls
  if (call === undefined) throw new Error('no call')
  node.answer(call, { value: { peer: 'p' } })
  node.tell(call.peer, 'media.state', { v: 1 })
  await clock.advance(100)
  expect(refs()).toEqual([4, 5, 3])
  expect(host.got()).toContainEqual([33, 3, { peer: 'p' }])
  expect(host.got()).toContainEqual([40, room, 'media.state', { v: 1 }])
})

test('over HTTP the same call is answered by the POST', async () => {
  const { clock, gateway, room } = await here()
  const who = { player: { id: 'ann', name: 'ann' }, session: 'session-of-ann-0000', guest: false }
  let answers: Uint8Array[] | null = null
  void gateway.post(who, '127.0.0.1', [encode([7, 9, room, 'media.join', {}])]).then((came) => {
    answers = came
  })
  await clock.advance(100)
  expect(answers).toEqual([encode([33, 9, 'media.join'])])
})

test('P4 private: the node is told of the night before any socket is', async () => {
  const { clock, bus, node, order, host, room } = await here()
  host.send([7, 3, room, 'media.join', {}])
  await clock.advance(100)
  expect(node.leases.at(-1)?.policy?.viewers.cas?.see).toEqual(['ann', 'bob', 'dan', 'eve'])
  const from = order.length
  bus.subscribe(mediaNodeSubject('n1'), (message) => {
    if (message.kind === 'media-lease') order.push({ at: 'node', frame: [message.policy?.spectators.see.length] })
  })
  host.send([7, 4, room, 'start'])
  await clock.advance(100)
  const [first, ...rest] = order.slice(from)
  expect(first).toEqual({ at: 'node', frame: [0] })
  const shown = rest.filter(({ frame: [op] }) => op === 35 || op === 36).map(({ at }) => at)
  expect(new Set(shown)).toEqual(new Set(PLAYERS))
})
