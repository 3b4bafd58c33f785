import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder, until } from '../program.ts'
import { SECRET } from './flags.ts'
import { type DeployedNats, natsEnvironment, PROGRAM, startDeployed } from './nats.ts'
import { DEPLOY } from './parsers.ts'

const LEVELS = [
  { file: 'r1.conf', replicas: 1, syncsAlways: false },
  { file: 'r3-node.conf', replicas: 3, syncsAlways: false },
  { file: 'r3-fsync-node.conf', replicas: 3, syncsAlways: true },
]
const TWO_MINUTES_NS = 120_000_000_000

const Jsz = z.object({
  config: z.object({ sync_interval: z.number().optional(), sync_always: z.boolean().optional() }),
})
const Varz = z.object({ max_payload: z.number(), lame_duck_duration: z.number().optional() }).loose()

const connectAs = (user: string, { url }: DeployedNats, password = `${SECRET}${user[0]}`): Promise<NatsConnection> =>
  connect({ servers: url.split(','), user, pass: password, reconnect: false })

test.each(LEVELS)('nats-server takes $file as it is', ({ file }) => {
  const env = { PATH: process.env.PATH ?? '', ...natsEnvironment('nats-0', join(tmpdir(), 'nowhere'), [6222]) }
  const { status, stderr } = spawnSync(PROGRAM, ['-t', '-c', join(DEPLOY, 'nats', file)], { env, encoding: 'utf8' })
  expect(stderr).toMatch(/configuration file .* is valid/)
  expect(status).toBe(0)
})

test('a password that is missing is refused, not taken for empty', () => {
  const { NATS_ENGINE_PASSWORD: _, ...rest } = natsEnvironment('nats-0', join(tmpdir(), 'nowhere'), [])
  const env = { PATH: process.env.PATH ?? '', ...rest }
  const { status, stderr } = spawnSync(PROGRAM, ['-t', '-c', join(DEPLOY, 'nats/r1.conf')], { env, encoding: 'utf8' })
  expect(stderr).toContain('NATS_ENGINE_PASSWORD')
  expect(status).not.toBe(0)
})

describe.each(LEVELS)('servers with $file', ({ file, replicas, syncsAlways }) => {
  test(`keep streams of ${replicas}, and sync ${syncsAlways ? 'before they acknowledge' : 'every two minutes'}`, async () => {
    await using nats = await startDeployed(file)
    const engine = await connectAs('engine', nats)
    const manager = await jetstreamManager(engine)
    await manager.streams.add({ name: 'EV_0', subjects: ['ev.0.>'], num_replicas: replicas })
    const stored = await jetstream(engine).publish('ev.0.room', 'a record')
    expect(stored).toMatchObject({ stream: 'EV_0', seq: 1 })
    for (const { ask } of nats.servers) {
      const { config } = Jsz.parse(await ask('/jsz?config=true'))
      expect(config.sync_always === true).toBe(syncsAlways)
      if (!syncsAlways) expect(config.sync_interval).toBe(TWO_MINUTES_NS)
      expect(Varz.parse(await ask('/varz')).max_payload).toBe(1024 * 1024)
    }
    await engine.close()
  })
})

/** What each user does, and what it is not let do. */
const RIGHTS = [
  {
    user: 'gateway',
    may: ['publish madang.cmd.7', 'subscribe madang.gw.g1'],
    mayNot: ['publish ev.0.room', 'publish madang.engines', 'subscribe ev.0.>', 'subscribe madang.cmd.*'],
  },
  {
    user: 'media',
    may: ['publish madang.media-nodes', 'subscribe madang.media.m1'],
    mayNot: [
      'publish madang.cmd.7',
      'publish $KV.installation.guests',
      'publish $JS.API.STREAM.MSG.GET.KV_installation',
      'subscribe madang.gw.g1',
    ],
  },
  {
    user: 'engine',
    may: ['publish madang.gw.g1', 'publish ev.0.room'],
    mayNot: [
      'publish $JS.API.STREAM.DELETE.EV_0',
      'publish $JS.API.STREAM.PURGE.EV_0',
      'publish $JS.API.STREAM.UPDATE.EV_0',
    ],
  },
]

/** What the server objects to of what the user does. */
const objectionsTo = async (user: string, acts: readonly string[], nats: DeployedNats): Promise<string[]> => {
  const connection = await connectAs(user, nats)
  const refused: string[] = []
  const following = (async () => {
    for await (const status of connection.status()) if (status.type === 'error') refused.push(actOf(status.error))
  })()
  for (const act of acts) {
    const [verb, subject = ''] = act.split(' ')
    if (verb === 'publish') connection.publish(subject)
    else connection.subscribe(subject, { callback: () => {} })
  }
  await connection.flush()
  await connection.flush()
  await connection.close()
  await following
  return refused
}

const actOf = (error: Error): string => {
  if (!(error instanceof PermissionViolationError)) return error.message
  return `${error.operation === 'publish' ? 'publish' : 'subscribe'} ${error.subject}`
}

describe('who may do what', () => {
  test('nobody without a password, or with another', async () => {
    await using nats = await startDeployed('r1.conf')
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow(/authorization/i)
    await expect(connectAs('engine', nats, 'wrong')).rejects.toThrow(/authorization/i)
  })

  test('a gateway asks engines, and writes no log; a media node does neither; an engine deletes no stream', async () => {
    await using nats = await startDeployed('r1.conf')
    const operator = await connectAs('operator', nats)
    const manager = await jetstreamManager(operator)
    await manager.streams.add({ name: 'EV_0', subjects: ['ev.0.>'], num_replicas: 1 })

    for (const { user, may, mayNot } of RIGHTS)
      expect(await objectionsTo(user, [...may, ...mayNot], nats), user).toEqual(mayNot)

    const { state } = await manager.streams.info('EV_0')
    expect(state.messages).toBe(1)
    await operator.close()
  })

  test('no server joins the cluster without its password', async () => {
    await using nats = await startDeployed('r3-node.conf')
    using folder = temporaryFolder()
    const env = natsEnvironment('stranger', folder.path, [nats.servers[0]?.route ?? 0])
    const NATS_ROUTES = env.NATS_ROUTES.replaceAll(env.NATS_ROUTE_PASSWORD, 'guessed')
    const config = join(folder.path, 'stranger.conf')
    writeFileSync(
      config,
      'server_name: stranger, listen: "127.0.0.1:-1", cluster { name: madang, listen: "127.0.0.1:-1", routes: $NATS_ROUTES }',
    )
    const stranger = spawn(PROGRAM, ['-c', config], { env: { NATS_ROUTES }, stdio: 'ignore' })
    try {
      await until(
        () => /authentication error|authorization violation/i.test(nats.printed()),
        'the stranger to be refused',
      )
      const routes = JSON.stringify(await Promise.all(nats.servers.map(({ ask }) => ask('/routez'))))
      expect(routes).toContain('nats-1')
      expect(routes).not.toContain('stranger')
    } finally {
      stranger.kill('SIGKILL')
      await once(stranger, 'close')
    }
  })
})
