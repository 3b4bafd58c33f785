import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import {
  connect,
  headers,
  type NatsConnection,
  type NodeConnectionOptions,
  TimeoutError,
} from '@nats-io/transport-node'
import { afterEach, describe, expect, test } from 'vitest'
import { realClock } from '../../cli/real.ts'
import { type NatsOptions, type NatsServer, startNats } from '../../test/nats-server.ts'
import { until } from '../../test/program.ts'
import { bytesOf, indexRow, testChance, textOf } from './conformance-values.ts'
import { openJetStream } from './jetstream.ts'
import { DirectPages } from './jetstream-direct.ts'
import { openInstallationKeys } from './jetstream-keys.ts'
import { JetStreamPlaces } from './jetstream-places.ts'
import { findInstallation, type JetStreamOptions } from './jetstream-streams.ts'
import { Fenced, NotStored, type Storage, StorageError } from './log.ts'
import { Owner, textsOf } from './testing/owner.ts'

const servers: NatsServer[] = []
const connections: NatsConnection[] = []
const start = async (options: NatsOptions = {}) => {
  const server = await startNats(options)
  servers.push(server)
  return server
}
const dial = async ({ url }: NatsServer, options: NodeConnectionOptions = {}) => {
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, ...options })
  connections.push(connection)
  return connection
}
const optionsOf = (connection: NatsConnection, more: Partial<JetStreamOptions> = {}): JetStreamOptions => ({
  connection,
  durability: 'jetstream-r1',
  clock: realClock,
  chance: testChance,
  streams: 4,
  ...more,
})
const open = (connection: NatsConnection, more: Partial<JetStreamOptions> = {}) =>
  openJetStream(optionsOf(connection, more))
/** What an attempt was refused with: one line. */
const refusal = async (attempt: Promise<unknown>): Promise<string> => {
  const error = await attempt.then(
    () => null,
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(StorageError)
  expect(error.message).not.toContain('\n')
  return error.message
}

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close()
  for (const server of servers.splice(0)) await server.stop()
})

describe('two engines on one NATS', () => {
  test('P1 durable: of two that append to a room in turn without reading, the second is Fenced; after reading it is not', async () => {
    const server = await start()
    const [one, two] = await Promise.all([open(await dial(server)), open(await dial(server))])
    const first = await one.append('a', 0, bytesOf('one'))
    await expect(two.append('a', 0, bytesOf('two'))).rejects.toThrow(Fenced)
    expect(await two.last('a')).toEqual({ position: first, record: bytesOf('one') })
    await two.append('a', first, bytesOf('two'))
    await expect(one.append('a', first, bytesOf('late'))).rejects.toThrow(Fenced)
    expect(await textsOf(one, 'a')).toEqual(['one', 'two'])
  })

  test('of ten that append at once each wins its turn alone, and all see one order', async () => {
    const server = await start()
    const engines = await Promise.all(Array.from({ length: 10 }, async () => open(await dial(server))))
    const won: number[] = []
    let position = 0
    for (let round = 0; round < 5; round++) {
      const after = position
      const settled = await Promise.allSettled(engines.map((engine, n) => engine.append('a', after, bytesOf(`${n}`))))
      const winners = settled.flatMap((outcome, n) =>
        outcome.status === 'fulfilled' ? [{ n, at: outcome.value }] : [],
      )
      expect(winners.length).toBe(1)
      for (const outcome of settled) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Fenced)
      won.push(winners[0]?.n ?? -1)
      position = winners[0]?.at ?? 0
    }
    for (const engine of engines) expect(await textsOf(engine, 'a')).toEqual(won.map(String))
  })

  test('a first start of eight processes at once makes one installation, with the same keys for all', async () => {
    const server = await start()
    const links = await Promise.all(Array.from({ length: 8 }, () => dial(server)))
    const [storages, keys] = await Promise.all([
      Promise.all(links.map((connection) => open(connection))),
      Promise.all(links.map((connection) => openInstallationKeys(optionsOf(connection)))),
    ])
    expect(new Set(keys.map(({ guests, cluster }) => `${guests} ${cluster}`)).size).toBe(1)
    expect(keys[0]?.guests.byteLength).toBe(32)
    expect(keys[0]?.guests).not.toEqual(keys[0]?.cluster)
    const players = await Promise.all(storages.map((storage) => storage.playerKey('p')))
    expect(new Set(players.map(String)).size).toBe(1)
    const epochs = await Promise.all(storages.map((storage) => storage.nextEpoch()))
    expect(new Set(epochs).size).toBe(8)
  })

  test('who only finds the installation waits until an engine has made it to the end, keys included', async () => {
    const server = await start()
    const [engine, gateway] = await Promise.all([dial(server), dial(server)])
    const told: string[] = []
    const found = findInstallation({ connection: gateway, clock: realClock }, () => told.push('waiting')).then(
      (durability) => told.push(durability),
    )
    await until(() => told.length === 1, 'the wait to be told')
    await open(engine)
    const looks = gateway.stats().outMsgs
    await until(() => gateway.stats().outMsgs > looks + 3, 'two more looks')
    expect(told).toEqual(['waiting'])
    await openInstallationKeys(optionsOf(engine))
    await found
    expect(told).toEqual(['waiting', 'jetstream-r1'])
  })

  test('two installations on one NATS do not see each other', async () => {
    const connection = await dial(await start())
    const [one, two] = await Promise.all([open(connection, { prefix: 'one' }), open(connection, { prefix: 'two' })])
    await one.append('a', 0, bytesOf('one'), indexRow('a'))
    expect([await two.rooms('', 10), await two.listIndex({}, '', 10), await two.last('a')]).toEqual([[], [], null])
    expect(await two.playerKey('p')).not.toEqual(await one.playerKey('p'))
  })
})

test('P5 bounded: 64 rooms that are taken over at once are read whole, by a few requests at a time', async () => {
  const server = await start()
  const storage = await open(await dial(server))
  const rooms = Array.from({ length: 64 }, (_, n) => `room-${n}`)
  const owners = rooms.map((room) => new Owner(storage, room))
  for (let n = 0; n < 5; n++) await Promise.all(owners.map((owner) => owner.append()))
  const connection = await dial(server)
  const requestMany = connection.requestMany.bind(connection)
  const seen = { underWay: 0, most: 0 }
  connection.requestMany = async (...about) => {
    seen.underWay += 1
    seen.most = Math.max(seen.most, seen.underWay)
    return untilEnd(await requestMany(...about))
  }
  async function* untilEnd<T>(answers: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* answers
    } finally {
      seen.underWay -= 1
    }
  }
  const heir = await open(connection)
  const texts = await Promise.all(rooms.map((room) => textsOf(heir, room)))
  expect(texts).toEqual(owners.map(({ expected }) => expected))
  expect(seen.most).toBe(16)
})

describe('an installation that is asked for otherwise is refused', () => {
  test('with another number of streams', async () => {
    const connection = await dial(await start())
    await open(connection)
    expect(await refusal(open(connection, { streams: 8 }))).toMatch(/"streams":4.*"streams":8.*account of its own/)
    expect(await refusal(openInstallationKeys(optionsOf(connection, { streams: 8 })))).toContain('"streams":8')
  })

  test('with more copies than it keeps, or than there are servers', async () => {
    const connection = await dial(await start())
    expect(await refusal(open(connection, { durability: 'jetstream-r3' }))).toMatch(
      /fewer servers than the 3 copies.*jetstream-r1/,
    )
    await open(connection)
    expect(await refusal(open(connection, { durability: 'jetstream-r3' }))).toMatch(
      /keeps 1 copies and 3 are asked for.*jetstream-r1/,
    )
  })

  test('whose streams somebody changed so that records would go away', async () => {
    const connection = await dial(await start())
    await open(connection)
    const { streams } = await jetstreamManager(connection)
    await streams.update('EV_2', { max_age: 3_600e9 })
    expect(await refusal(open(connection))).toMatch(/EV_2 has max_age 3600000000000 where Madang needs 0/)
    await streams.update('EV_2', { max_age: 0 })
    await open(connection)
  })

  test('where JetStream is off, forbidden, or its messages are too small', async () => {
    const off = await dial(await start({ jetstream: false, config: 'max_payload: 65536' }))
    expect(await refusal(open(off))).toMatch(/max_payload/)
    const users =
      'accounts { A { jetstream: enabled, users: [{ user: u, password: u, permissions: { publish: ["_INBOX.>", "$JS.API.STREAM.INFO.>"] } }] }, B { users: [{ user: none, password: none }] } }'
    const server = await start({ config: users })
    const forbidden = await dial(server, { user: 'u', pass: 'u' })
    expect(await refusal(open(forbidden))).toMatch(/no permission for publish \$JS.API.STREAM.CREATE/)
    const without = await dial(server, { user: 'none', pass: 'none' })
    expect(await refusal(open(without))).toMatch(/JetStream not enabled for account/)
  })

  test('under a prefix that is no name', async () => {
    const connection = await dial(await start())
    expect(await refusal(open(connection, { prefix: 'a.b' }))).toContain('"a.b"')
  })
})

describe('a NATS that is not there', () => {
  test('P1 durable: killed and started again, it has all that was acknowledged, and the room goes on', async () => {
    const server = await start()
    const storage = await open(await dial(server))
    const owner = new Owner(storage, 'a')
    const running = owner.run()
    await until(() => owner.stored > 100, 'appends')
    await server.kill()
    await server.restart()
    const from = owner.stored
    await until(() => owner.stored > from + 100, 'more appends')
    owner.stop()
    await running
    expect(await textsOf(storage, 'a')).toEqual(owner.expected)
  })

  test('while it is gone appends are NotStored within 3 s, and none of them is sent later', async () => {
    const server = await start()
    const storage = await open(await dial(server))
    const first = await storage.append('a', 0, bytesOf('one'))
    await server.kill()
    await until(async () => (await outcome(storage, 'a', first)).name === 'NotStored', 'the loss to be noticed')
    const { name, ms } = await outcome(storage, 'a', first)
    expect([name, ms < 3_000]).toEqual(['NotStored', true])
    await expect(storage.read('a', 0, 10)).rejects.toThrow(StorageError)
    await server.restart()
    await until(async () => (await storage.last('a').catch(() => null)) !== null, 'NATS to be reached')
    expect(await textsOf(storage, 'a')).toEqual(['one'])
    await storage.append('a', first, bytesOf('two'))
  })

  test('one that hangs leaves fates unknown within 5 s, and the last record tells them when it goes on', async () => {
    const server = await start()
    const storage = await open(await dial(server))
    const first = await storage.append('a', 0, bytesOf('one'))
    await server.pause()
    const { name, ms } = await outcome(storage, 'a', first)
    server.resume()
    expect([name, ms < 5_000]).toEqual(['FateUnknown', true])
    await until(async () => (await storage.last('a').catch(() => null)) !== null, 'NATS to go on')
    expect(await textsOf(storage, 'a')).toEqual(['one', 'unsure'])
  })

  const outcome = async (storage: Storage, room: string, after: number) => {
    const from = performance.now()
    const error = await storage.append(room, after, bytesOf('unsure')).then(
      () => new Error('stored'),
      (reason) => reason,
    )
    return { name: error.name as string, ms: performance.now() - from }
  }
})

test('P1 durable: an answer of which a message was lost on its way is none, wherever it stood, and is asked for again', async () => {
  const connection = await dial(await start())
  const storage = await open(connection)
  let last = 0
  for (const text of ['one', 'two', 'three']) last = await storage.append('a', last, bytesOf(text))
  const place = new JetStreamPlaces('', 4).events('a')
  const losing = (lost: number) =>
    new DirectPages({
      async requestMany(...question) {
        const answer = await connection.requestMany(...question)
        return (async function* () {
          let nth = 0
          for await (const message of answer) if (nth++ !== lost) yield message
        })()
      },
    })
  for (const lost of [0, 1, 2]) {
    await expect(losing(lost).page(place, 0, 10)).rejects.toThrow(TimeoutError)
    await expect(losing(lost).page(place, 0, 3)).rejects.toThrow(TimeoutError)
  }
  await expect(losing(0).lastOfEach(place.stream, [place.subject])).rejects.toThrow(TimeoutError)
  const { found } = await losing(-1).page(place, 0, 10)
  expect(found.map(({ body }) => textOf(body))).toEqual(['one', 'two', 'three'])
  expect((await losing(-1).page(place, found[0]?.sequence ?? 0, 10)).found).toHaveLength(2)
  expect((await losing(-1).lastOfEach(place.stream, [place.subject]))?.found).toHaveLength(1)
})

test('a row that was deleted with NATS’s own tools is gone, and hides no other one', async () => {
  const connection = await dial(await start())
  const storage = await open(connection)
  const rooms = ['a', 'b', 'c']
  await storage.putIndex(rooms.map((room) => indexRow(room)))
  const given = headers()
  given.set('KV-Operation', 'DEL')
  connection.publish(new JetStreamPlaces('', 4).row(indexRow('b')).subject, '', { headers: given })
  await until(async () => (await storage.index('b')) === null, 'the row to be gone')
  expect((await storage.listIndex({ status: 'unfinished' }, '', 10)).map(({ room }) => room)).toEqual(['a', 'c'])
  await storage.putIndex([indexRow('b', { status: 'over' })])
  expect((await storage.listIndex({}, '', 10)).map(({ room, status }) => `${room} ${status}`)).toEqual([
    'a live',
    'b over',
    'c live',
  ])
})

test('a row that is damaged is reported, hides no other one, and tells that its room may be live: its log is read then', async () => {
  const connection = await dial(await start())
  const warnings: string[] = []
  const storage = await open(connection, { onWarning: (line) => warnings.push(line) })
  await storage.putIndex(['a', 'b', 'c'].map((room) => indexRow(room, { status: 'asleep', due: 7 })))
  connection.publish(new JetStreamPlaces('', 4).row(indexRow('b')).subject, '{"room":"b"')
  await until(async () => (await storage.index('b'))?.due === null, 'the row to be damaged')
  expect(warnings.at(-1)).toMatch(/^the row of room b in the index is damaged: its log is read instead \(.+\)$/)
  const listed = await storage.listIndex({ status: 'unfinished' }, '', 10)
  expect(listed.map(({ room, status, seq }) => `${room} ${status} ${seq > 0}`)).toEqual([
    'a asleep true',
    'b live false',
    'c asleep true',
  ])
  await storage.putIndex([indexRow('b', { status: 'over' })])
  expect(await storage.index('b')).toMatchObject({ room: 'b', status: 'over' })
})

describe('a NATS whose storage is full', () => {
  test('stores nothing more and says so, keeps what it has, and goes on when there is space', async () => {
    const limited = 'accounts { A { jetstream { max_file: 8MB }, users: [{ user: a, password: a }] } }'
    const connection = await dial(await start({ config: limited }), { user: 'a', pass: 'a' })
    const storage = await open(connection)
    for (let n = 0; n < 4; n++) await storage.putSnapshot(`s${n}`, testChance.bytes(900_000))
    let last = 0
    const fill = async () => {
      for (;;) last = await storage.append('a', last, testChance.bytes(900_000))
    }
    await expect(fill()).rejects.toThrow(NotStored)
    await expect(storage.append('a', last, testChance.bytes(900_000))).rejects.toThrow('resource limits exceeded')
    expect((await storage.last('a'))?.position).toBe(last)
    const { streams } = await jetstreamManager(connection)
    await streams.purge('SNAP')
    expect(await storage.append('a', last, bytesOf('again'))).toBeGreaterThan(last)
  })
})

describe('forgetting a player', () => {
  let store: string
  afterEach(() => rm(store, { recursive: true, force: true }))

  test('P4 private: overwrites the key in every file of the server', async () => {
    store = await mkdtemp(join(tmpdir(), 'madang-nats-store-'))
    const server = await start({ store })
    const storage = await open(await dial(server))
    const filesWith = (key: Uint8Array) =>
      readdirSync(store, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .filter((file) => readFileSync(join(file.parentPath, file.name)).includes(Buffer.from(key)))
    const [gone, kept] = [await storage.playerKey('gone'), await storage.playerKey('kept')]
    await until(() => filesWith(gone).length === 1 && filesWith(kept).length === 1, 'the keys to be written')
    await storage.forgetPlayer('gone')
    expect(await storage.existingKey('gone')).toBeNull()
    expect([filesWith(gone).length, filesWith(kept).length]).toEqual([0, 1])
    expect(await storage.existingKey('kept')).toEqual(kept)
  })
})
