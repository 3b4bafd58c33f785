import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NatsOptions, type NatsServer, startNats } from '../test/nats-server.ts'
import { certificates, jwtUser, nkeyUser } from '../test/nats-users.ts'
import { runMadang, temporaryFolder, until } from '../test/program.ts'
import { CannotStart } from './cannot-start.ts'
import { openNats } from './nats.ts'
import type { NatsFlags } from './nats-access.ts'
import { realClock } from './real.ts'

const folder = temporaryFolder()
const others = temporaryFolder()
afterAll(() => {
  folder[Symbol.dispose]()
  others[Symbol.dispose]()
})

const open = async (nats: string, flags: NatsFlags = {}, log: string[] = []) =>
  await openNats(
    { ...flags, nats: nats.split(',') },
    { clock: realClock, log: pino({ base: null }, { write: (line) => void log.push(line) }) },
  )

/** How it ends: what a round trip needs is there, or the line that says why not. */
const outcome = async (nats: string, flags: NatsFlags = {}): Promise<string> => {
  try {
    const link = await open(nats, flags)
    await link.connection.flush()
    await link.close()
    return 'connected'
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error
    expect(error.message).not.toContain('\n')
    return error.message
  }
}

interface Kind {
  options: NatsOptions
  /** With the server's address in place of HOST. */
  fine: readonly [string, NatsFlags][]
  wrong: readonly [string, NatsFlags, RegExp][]
}

const REFUSED = /^NATS at 127\.0\.0\.1:\d+ refuses this user: .*Authorization Violation.*\. Check the credentials\.$/

const kinds = (): Record<string, Kind> => {
  const [known, stranger] = [nkeyUser(folder.path), nkeyUser(others.path)]
  const [creds, otherCreds] = [jwtUser(folder.path), jwtUser(others.path)]
  const ours = certificates(folder.path)
  const theirs = certificates(others.path)
  const tls = `tls { cert_file: "${ours.cert}", key_file: "${ours.key}", ca_file: "${ours.ca}"`
  return {
    'a user and a password': {
      options: { config: 'authorization { user: ann, password: "se:c@ret" }' },
      fine: [
        ['HOST', { natsUser: 'ann', natsPassword: 'se:c@ret' }],
        ['nats://ann:se%3Ac%40ret@HOST', {}],
      ],
      wrong: [
        ['HOST', {}, REFUSED],
        ['HOST', { natsUser: 'ann', natsPassword: 'secret' }, REFUSED],
      ],
    },
    'a token': {
      options: { config: 'authorization { token: "t0ken" }' },
      fine: [
        ['HOST', { natsToken: 't0ken' }],
        ['t0ken@HOST', {}],
      ],
      wrong: [['HOST', { natsToken: 'other' }, REFUSED]],
    },
    'an nkey': {
      options: { config: known.config },
      fine: [['HOST', { natsNkey: known.file }]],
      wrong: [
        ['HOST', { natsNkey: stranger.file }, REFUSED],
        [
          'HOST',
          { natsNkey: ours.key },
          /^--nats-nkey .*key\.pem must hold a seed of an nkey, which begins with SU\.$/,
        ],
        ['HOST', { natsNkey: '/nowhere' }, /^--nats-nkey \/nowhere must hold .* \(ENOENT\)\.$/],
      ],
    },
    credentials: {
      options: { config: creds.config },
      fine: [['HOST', { natsCreds: creds.file }]],
      wrong: [
        ['HOST', { natsCreds: otherCreds.file }, REFUSED],
        ['HOST', { natsCreds: ours.key }, /^--nats-creds .*key\.pem must hold credentials as nsc writes them\.$/],
      ],
    },
    TLS: {
      options: { config: `${tls} }` },
      fine: [
        ['HOST', { natsCa: ours.ca }],
        ['tls://HOST', { natsCa: ours.ca }],
      ],
      wrong: [
        ['HOST', {}, /shows a certificate that is not trusted: .*\. Check --nats-ca\.$/],
        ['HOST', { natsCa: theirs.ca }, /shows a certificate that is not trusted: .*\. Check --nats-ca\.$/],
      ],
    },
    'TLS with certificates of clients': {
      options: { config: `${tls}, verify: true }` },
      fine: [['HOST', { natsCa: ours.ca, natsCert: ours.cert, natsKey: ours.key }]],
      wrong: [
        [
          'HOST',
          { natsCa: ours.ca, natsCert: ours.cert, natsKey: theirs.key },
          /^TLS with .* fails: .*\. Check --nats-cert and --nats-key\.$/,
        ],
      ],
    },
    'no TLS': {
      options: {},
      fine: [['HOST', {}]],
      wrong: [['tls://HOST', {}, /^NATS at \S+ has no TLS: /]],
    },
    'a user who may not ask JetStream': {
      options: {
        config: 'authorization { users: [{ user: a, password: b, permissions: { publish: { deny: "$JS.API.>" } } }] }',
      },
      fine: [],
      wrong: [
        ['a:b@HOST', {}, /^The NATS server at \S+ does not let this user publish \$JS\.API\.INFO: allow it there\.$/],
      ],
    },
    'no JetStream': {
      options: { jetstream: false },
      fine: [],
      wrong: [
        ['HOST', {}, /^The NATS server at \S+ has JetStream off: start it with -js, or with a jetstream block\.$/],
      ],
    },
  }
}

describe.for(Object.entries(kinds()))('a server with %s', ([, { options, fine, wrong }]) => {
  let server: NatsServer
  beforeAll(async () => {
    server = await startNats(options)
  })
  afterAll(() => server.stop())
  const at = (url: string) => url.replace('HOST', `127.0.0.1:${server.port}`)

  test('lets in who has what it asks for', async () => {
    for (const [url, flags] of fine) expect(await outcome(at(url), flags)).toBe('connected')
  })

  test('refuses others with one line, at once', async () => {
    const started = performance.now()
    // One that is not there is waited for, for 10 s.
    for (const [url, flags, line] of wrong) expect(await outcome(at(url), flags)).toMatch(line)
    expect(performance.now() - started).toBeLessThan(9_000)
  })
})

test.for([
  ['an address', 'IP:127.0.0.1', '127.0.0.1', 'localhost'],
  ['a name', 'DNS:localhost', 'localhost', '127.0.0.1'],
])('a certificate for %s is good for that one only', async ([, names, host, other]) => {
  using own = temporaryFolder()
  const { ca, cert, key } = certificates(own.path, names)
  await using server = await startNats({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` })
  expect(await outcome(`${host}:${server.port}`, { natsCa: ca })).toBe('connected')
  expect(await outcome(`${other}:${server.port}`, { natsCa: ca })).toMatch(
    /shows a certificate for another name: .*Name it with tls:\/\/ and as its certificate does\.$/,
  )
})

test('an account that may not use JetStream is told so', async () => {
  const { config, file } = jwtUser(folder.path, { jetstream: false })
  await using server = await startNats({ config })
  expect(await outcome(server.url, { natsCreds: file })).toMatch(/gives this account no JetStream: allow it there\.$/)
})

test('a server that is too old is told from one that is not', async () => {
  const info = { server_id: 'x', version: '2.11.9', max_payload: 1_048_576, proto: 1, headers: true, jetstream: true }
  const old = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`)
    socket.on('data', (said) => {
      if (said.includes('PING')) socket.write('PONG\r\n')
    })
  }).listen(0, '127.0.0.1')
  await until(() => old.listening, 'it to listen')
  const address = old.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  expect(await outcome(`127.0.0.1:${address.port}`)).toMatch(/ is of version 2\.11\.9: Madang needs 2\.12 or later\.$/)
  old.close()
})

test('madang start on a NATS that refuses it ends with that line, nothing else, and exit code 2', async () => {
  await using server = await startNats({ config: 'authorization { token: "t0ken" }' })
  const { code, stdout, stderr } = await runMadang(['start', '--nats', server.url, '--port', '0', '--admin-port', '0'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^madang: NATS at 127\.0\.0\.1:\d+ refuses this user: .*Check the credentials\.\n$/)
})

test('a NATS that cannot be reached is waited for with a line, and is used when it comes', async () => {
  await using server = await startNats()
  await server.kill()
  const log: string[] = []
  const link = open(server.url, {}, log)
  await until(
    () => log.some((line) => line.includes('cannot be reached: connection refused. Trying again')),
    'the line',
  )
  await server.restart()
  await (await link).close()
})

test.concurrent('a server that asks for certificates of clients lets nobody in without one that it likes', async () => {
  const [ours, theirs] = [certificates(folder.path), certificates(others.path)]
  const tls = `tls { cert_file: "${ours.cert}", key_file: "${ours.key}", ca_file: "${ours.ca}", verify: true }`
  await using server = await startNats({ config: tls })
  const line = `NATS at 127.0.0.1:${server.port} cannot be reached: no answer in time (over TLS: does it like our --nats-cert?).`
  const without = outcome(server.url, { natsCa: ours.ca })
  const wrong = outcome(server.url, { natsCa: ours.ca, natsCert: theirs.cert, natsKey: theirs.key })
  expect(await Promise.all([without, wrong])).toEqual([line, line])
})

test.concurrent('a NATS that cannot be reached for 10 s ends in one line', async () => {
  await using server = await startNats()
  await server.kill()
  const started = performance.now()
  expect(await outcome(server.url)).toBe(`NATS at 127.0.0.1:${server.port} cannot be reached: connection refused.`)
  expect(performance.now() - started).toBeGreaterThan(9_500)
})

test('a server that is silent, or down, does not keep us from another one', async () => {
  await using silent = await startNats()
  await using down = await startNats()
  await using fine = await startNats()
  await silent.pause()
  await down.kill()
  const link = await open(`${silent.url},${down.url},${fine.url}`)
  expect(link.connection.getServer()).toContain(String(fine.port))
  await link.close()
})

test('credentials that were renewed on disk are used when a server is dialled again, and half a file does no harm', async () => {
  const [first, second] = [nkeyUser(folder.path), nkeyUser(others.path)]
  const users = [first, second].map(({ config }) => /nkey: (\w+)/.exec(config)?.[1])
  const seed = readFileSync(second.file, 'utf8')
  await using server = await startNats({ config: first.config })
  const link = await open(server.url, { natsNkey: first.file })
  writeFileSync(first.file, 'SUABC')
  await server.restart()
  await until(() => link.isConnected, 'the old seed to be used again')
  await server.reconfigure(`authorization { users: [{ nkey: ${users[1]} }] }`)
  await until(() => !link.isConnected, 'the old user to be thrown out')
  writeFileSync(first.file, seed)
  await until(() => link.isConnected, 'the new seed to be used')
  await link.close()
})
