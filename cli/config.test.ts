import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, parseStart } from './config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'madang-config-'))
  writeFileSync(join(folder, 'secret'), 'from a file\n')
  writeFileSync(join(folder, 'cert.pem'), 'a certificate')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const accepted = (argv: readonly string[], env: Record<string, string> = {}): Config => {
  const result = parseStart(argv, env)
  if ('exit' in result) throw new Error(result.text)
  return result
}
const refused = (argv: readonly string[], env: Record<string, string> = {}): string => {
  const result = parseStart(argv, env)
  if (!('exit' in result)) throw new Error(`accepted: ${argv.join(' ')}`)
  expect(result.exit).toBe(2)
  expect(result.text).not.toContain('\n')
  return result.text
}

test('without flags: everything on this machine, guests welcome', () => {
  expect(accepted([])).toEqual({
    roles: ['gateway', 'engine', 'media'],
    host: '127.0.0.1',
    port: 3000,
    adminHost: '127.0.0.1',
    adminPort: 3001,
    isAdminPortGiven: false,
    data: './data',
    durability: 'sqlite-full',
    guests: true,
    trustProxy: 0,
    mediaIp: '127.0.0.1',
    mediaPort: 44_444,
    isMediaPortGiven: false,
    rate: 50,
    frame: 16_384,
    logLevel: 'info',
  })
})

test('a flag is taken as --x V and --x=V, and wins over its variable, which wins over the default', () => {
  expect(accepted(['--port', '0']).port).toBe(0)
  expect(accepted(['--port=4000']).port).toBe(4000)
  expect(accepted([], { MADANG_PORT: '4001' }).port).toBe(4001)
  expect(accepted(['--port', '4000'], { MADANG_PORT: '4001' }).port).toBe(4000)
  expect(accepted([], { MADANG_PORT: '' }).port).toBe(3000)
  expect(accepted([], { MADANG_ADMIN_PORT: '4001' }).isAdminPortGiven).toBe(true)
})

test('a secret may come from a file, by flag or variable, without its last newline', () => {
  expect(accepted(['--jwt-secret-file', join(folder, 'secret')]).jwtSecret).toBe('from a file')
  expect(accepted([], { MADANG_JWT_SECRET_FILE: join(folder, 'secret') }).jwtSecret).toBe('from a file')
  expect(accepted(['--jwt-secret', 'given'], { MADANG_JWT_SECRET_FILE: join(folder, 'secret') }).jwtSecret).toBe(
    'given',
  )
  expect(refused(['--jwt-secret', 'a', '--jwt-secret-file', join(folder, 'secret')])).toContain('give one')
  expect(refused(['--jwt-secret-file', join(folder, 'none')])).toMatch(
    /--jwt-secret-file .*none cannot be read \(ENOENT\)/,
  )
})

test('guests are on without a JWT key and off with one, and a flag says otherwise', () => {
  const secret = ['--jwt-secret', 's']
  expect(accepted(secret).guests).toBe(false)
  expect(accepted(['--jwks-url', 'https://example.com/keys']).guests).toBe(false)
  for (const on of [['--guests'], ['--guests=true'], ['--guests', 'yes']])
    expect(accepted([...secret, ...on]).guests).toBe(true)
  for (const off of [['--no-guests'], ['--guests=false'], ['--guests', 'off']])
    expect(accepted([...secret, ...off]).guests).toBe(false)
  expect(accepted(secret, { MADANG_GUESTS: 'true' }).guests).toBe(true)
  expect(refused(['--no-guests'])).toContain('nobody could enter')
})

test('lists, times and the rest are read into values', () => {
  const config = accepted([
    ...['--games', `${folder}, ${tmpdir()}`, '--origins', 'https://a.example,http://localhost:5173'],
    ...['--retention', 'keep', '--durability', 'memory', '--roles', 'media,gateway,engine', '--trust-proxy', '2'],
    ...['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'secret'), '--media-workers', '3'],
    ...[
      '--ice-servers',
      'stun:stun.example:3478,turn:u:c@turn.example',
      '--admin-host',
      '0.0.0.0',
      '--admin-token',
      'T',
    ],
  ])
  expect(config).toMatchObject({
    games: [folder, tmpdir()],
    origins: ['https://a.example', 'http://localhost:5173'],
    durability: 'memory',
    mediaWorkers: 3,
    iceServers: [{ urls: 'stun:stun.example:3478' }, { urls: 'turn:turn.example', username: 'u', credential: 'c' }],
    adminToken: 'T',
  })
  const turn = [{ urls: 'turn:turn.example', username: 'u', credential: 'c' }]
  expect(accepted(['--ice-servers', JSON.stringify(turn)]).iceServers).toEqual(turn)
  expect(
    accepted(['--ice-servers', 'turns:a%40b:x:y@turn.example:5349?transport=tcp']).iceServers,
    'a user may hold what is escaped, a credential colons',
  ).toEqual([{ urls: 'turns:turn.example:5349?transport=tcp', username: 'a@b', credential: 'x:y' }])
})

describe('what is wrong gets one line that names it, and exit code 2', () => {
  test.for<readonly [string[], string]>([
    [['--port', 'abc'], '--port must be a whole number from 0 to 65535, not "abc".'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535'],
    [['--port', '-1'], '--port must be a whole number'],
    [['--port', ''], '--port must be a whole number'],
    [['--port'], '--port needs a value: --port N.'],
    [['--port', '1', '--port', '2'], '--port is given twice.'],
    [['--prot', '3000'], 'unknown flag --prot. Did you mean --port?'],
    [['--jwt-secert=x'], 'Did you mean --jwt-secret?'],
    [['--zzzzzz'], 'unknown flag --zzzzzz. See --help.'],
    [['--no-port'], 'unknown flag --no-port.'],
    [['3000'], 'unexpected "3000"'],
    [['--durability', 'disk'], '--durability must be one of memory, sqlite-full'],
    [['--durability', 'jetstream-r3'], '--durability jetstream-r3 needs --nats; without it: memory, sqlite-full.'],
    [
      ['--nats', 'nats://n', '--durability', 'memory'],
      '--durability memory is for one machine; with --nats: jetstream-r1, jetstream-r3, jetstream-r3-fsync.',
    ],
    [['--nats', ','], '--nats must be nats:// or tls:// URLs, with commas between.'],
    [['--nats', 'nats://a,ws://b'], '--nats must be nats:// or tls:// URLs'],
    [['--nats', 'nats://a/path'], '--nats must be nats:// or tls:// URLs'],
    [['--nats', 'nats://a:99999'], '--nats must be nats:// or tls:// URLs'],
    [['--nats-user', 'ann'], '--nats-user needs --nats.'],
    [['--nats', 'n', '--nats-user', 'ann'], '--nats-user and --nats-password go together: give both.'],
    [['--nats', 'n', '--nats-cert', import.meta.filename], '--nats-cert and --nats-key go together: give both.'],
    [
      ['--nats', 'n', '--nats-token', 't', '--nats-creds', import.meta.filename],
      '--nats-token and --nats-creds are both given: give one.',
    ],
    [
      ['--nats', 'ann:secret@n', '--nats-nkey', import.meta.filename],
      'a user in --nats and --nats-nkey are both given: give one.',
    ],
    [['--nats', 'ann:a@n,bob:b@n'], 'the URLs of --nats name different users'],
    [['--nats', 'n', '--nats-creds', '/nowhere.creds'], '--nats-creds must be a file that can be read'],
    [['--roles', 'gateway'], '--roles gateway alone needs --nats'],
    [['--roles', 'gateway,cook'], '--roles must be some of gateway, engine, media'],
    [['--games', '/nowhere/at/all'], '--games must be folders that exist'],
    [['--jwks-url', 'ftp://x'], '--jwks-url must be an http or https URL'],
    [['--jwt-secret', 'a', '--jwks-url', 'https://x.example'], 'give one'],
    [['--jwt-issuer', 'me'], '--jwt-issuer needs --jwt-secret or --jwks-url.'],
    [['--origins', 'example.com'], '--origins must be origins such as'],
    [['--origins', 'https://example.com/path'], '--origins must be origins such as'],
    [['--tls-cert', import.meta.filename], '--tls-cert and --tls-key go together'],
    [['--tls-key', '/nowhere.pem'], '--tls-key must be a file that can be read'],
    [['--admin-host', '0.0.0.0'], 'give an --admin-token.'],
    [
      ['--retention', '30d'],
      'this version keeps finished rooms for good: leave out --retention, or say --retention keep',
    ],
    [['--retention', 'forever'], '--retention must be keep, or a time such as 12h or 30d'],
    [['--frame', '100'], '--frame must be a whole number from 1024'],
    [['--rate', '1e3'], '--rate must be a whole number'],
    [['--media-ip', 'example.com'], '--media-ip must be an IP address'],
    [['--ice-servers', '[{"urls":5}]'], '--ice-servers must be stun:HOST and turn:USER:CREDENTIAL@HOST'],
    [['--ice-servers', 'turn:turn.example'], 'turn:turn.example needs a user and a credential.'],
    [['--ice-servers', 'turn:ann@turn.example'], 'turn:turn.example needs a user and a credential.'],
    [['--ice-servers', 'stun:ann:secret@stun.example'], 'stun:stun.example takes nothing but a host.'],
    [['--ice-servers', 'stun.example'], '--ice-servers must be stun:HOST'],
    [['--log-level', 'loud'], '--log-level must be one of trace'],
    [['--guests', '--guests=maybe'], '--guests is given twice.'],
    [['--guests=maybe'], '--guests must be true or false, not "maybe".'],
  ])('%j', ([argv, line]) => {
    expect(refused(argv)).toContain(line)
  })

  test('a variable is named by its own name', () => {
    expect(refused([], { MADANG_PORT: 'x' })).toContain('MADANG_PORT must be a whole number')
  })

  test('a secret is never printed', () => {
    for (const given of [
      'password',
      'turn:ann:password@',
      'stun:ann:password@stun.example',
      '[{"credential":"password"}]',
    ])
      expect(refused(['--ice-servers', given])).not.toContain('password')
    expect(refused(['--nats', 'nats://ann:password@n/path'])).not.toContain('password')
  })
})

test('--help lists every flag with its default and its variable', () => {
  const help = parseStart(['--help'], {})
  if (!('exit' in help)) throw new Error('--help ran')
  expect(help.exit).toBe(0)
  for (const part of [
    '--admin-token S',
    'MADANG_JWT_SECRET',
    '--jwt-secret-file',
    '(default 3000; MADANG_PORT)',
    'default the sample games',
  ])
    expect(help.text).toContain(part)
  const names = help.text.split('\n').flatMap((line) => /^ {2}--([a-z-]+)/.exec(line)?.[1] ?? [])
  expect(names.join(' ')).toBe(
    'host port admin-host admin-port admin-token data nats nats-user nats-password nats-token nats-nkey nats-creds ' +
      'nats-ca nats-cert nats-key roles games durability jwt-secret jwks-url jwt-issuer jwt-audience guests origins trust-proxy tls-cert tls-key media-ip media-port media-announce media-workers ' +
      'ice-servers rate frame retention log-level',
  )
})
