import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freePort } from '../ports.ts'
import { temporaryFolder } from '../program.ts'
import { dig, jwt, newGuest, Raw } from './raw.ts'
import { occupy, Started } from './start.ts'

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())
let made = 0
const dataFolder = () => join(folder.path, `data-${++made}`)

/** Starts on free ports and waits for the ready line. */
const run = async (args: string[], env: Record<string, string> = {}) => {
  const started = new Started(['start', '--port', '0', '--admin-port', '0', '--data', dataFolder(), ...args], env)
  const url = (await started.ready()).replace('localhost', '127.0.0.1')
  return { started, url }
}

/** Runs to its end: what is wrong, in exactly one line, with exit code 2. */
const refusal = async (args: string[], env: Record<string, string> = {}, cwd?: string): Promise<string> => {
  const started = new Started(args, env, cwd)
  const code = await started.gone
  const what = `${args.join(' ')} ${JSON.stringify(env)}: ${started.stdout}${started.stderr}`
  expect(started.lines, what).toHaveLength(1)
  expect(started.stderr, what).toMatch(/\n$/)
  expect(code, what).toBe(2)
  return started.stderr
}

describe('what cannot start ends with one clear line and exit code 2', () => {
  const file = join(folder.path, 'a-file')
  const empty = join(folder.path, 'no-games')
  const broken = join(folder.path, 'broken-games')
  mkdirSync(empty)
  mkdirSync(join(broken, 'bad'), { recursive: true })
  writeFileSync(file, 'text')
  writeFileSync(join(broken, 'bad', 'rules.ts'), 'export default {{{\n')
  const d = () => ['--data', dataFolder()]
  const flags: [string, string[], RegExp][] = [
    ['an unknown flag, with the one that was meant', ['--prot', '3000'], /--prot.*--port/],
    ['a word too many', ['now'], /now/],
    ['a flag without its value', ['--port'], /--port/],
    ['a flag given twice', ['--port', '1', '--port', '2'], /--port/],
    ['a port out of range', ['--port', '70000'], /--port/],
    ['a rate of 0', ['--rate', '0'], /--rate/],
    ['a durability that there is not', ['--durability', 'paper'], /--durability/],
    ['a durability that needs NATS', ['--durability', 'jetstream-r3'], /--nats/],
    ['a split without NATS', ['--roles', 'gateway'], /--nats/],
    ['a folder of games that is not there', ['--games', join(folder.path, 'nowhere')], /--games/],
    ['a folder of games without a game', ['--games', empty], /game/],
    ['a game that cannot be read', ['--games', broken], /bad/],
    ['a JWKS address that is none', ['--jwks-url', 'nonsense'], /--jwks-url/],
    ['two kinds of keys', ['--jwt-secret', 'x'.repeat(40), '--jwks-url', 'http://localhost/k'], /--jwt-secret/],
    ['nobody could enter', ['--no-guests'], /guests/],
    ['an origin that is none', ['--origins', 'play.example'], /--origins/],
    ['a secret file that is not there', ['--jwt-secret-file', join(folder.path, 'nowhere')], /--jwt-secret-file/],
    ['an open admin host without a token', ['--admin-host', '0.0.0.0'], /--admin-token/],
    ['half of TLS', ['--tls-cert', file], /--tls-key/],
    ['TLS files that are no certificate', ['--tls-cert', file, '--tls-key', file], /tls|certificate/i],
    ['a data folder that is a file', ['--data', file], /a-file/],
    ['a host that is not this machine’s', ['--host', '192.0.2.1'], /192\.0\.2\.1/],
  ]
  test.concurrent.each(flags)('%s', { timeout: 60_000 }, async (_what, args, says) => {
    const ports = ['--port', '--host'].includes(args[0] ?? '') || args[0]?.startsWith('--port=') ? [] : ['--port', '0']
    const data = args.includes('--data') ? [] : d()
    expect(await refusal(['start', ...data, ...ports, '--admin-port', '0', ...args])).toMatch(says)
  })

  test.concurrent('a bad value of a variable names the variable; a secret’s value is not printed', async () => {
    expect(await refusal(['start', ...d()], { MADANG_PORT: 'abc' })).toMatch(/MADANG_PORT/)
    expect(await refusal(['start', ...d()], { MADANG_DURABILITY: 'paper' })).toMatch(/MADANG_DURABILITY/)
    const both = await refusal(['start', ...d(), '--jwks-url', 'nonsense', '--jwt-secret', 'do-not-print-this'])
    expect(both).not.toContain('do-not-print-this')
  })

  test.concurrent('an unknown command', async () => {
    expect(await refusal(['strat'])).toMatch(/start/)
  })

  test('a port in use, for clients and for admin', async () => {
    using taken = await occupy()
    const port = String(taken?.port)
    expect(await refusal(['start', ...d(), '--port', port, '--admin-port', '0'])).toMatch(port)
    expect(await refusal(['start', ...d(), '--port', '0', '--admin-port', port])).toMatch(port)
  })

  test('a data folder in use: the second one ends, the first goes on, and after kill -9 the folder is free again', async () => {
    const data = dataFolder()
    const args = ['start', '--data', data, '--port', '0', '--admin-port', '0']
    const one = new Started(args)
    const url = (await one.ready()).replace('localhost', '127.0.0.1')
    expect(await refusal(args)).toMatch(/in use/)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    await one.kill('SIGKILL')
    const three = new Started(args)
    await three.ready()
    await three.kill()
  })
})

describe.concurrent('what starts', () => {
  test('the ready line, exactly, on stdout, once /readyz answers 200; nothing alarming before; --port 0 is named', async () => {
    const { started, url } = await run([])
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const port = new URL(url).port
    expect(started.stdout.split('\n')).toContain(`Madang is ready: http://localhost:${port}`)
    expect(started.stdout.match(/Madang is ready/g)).toHaveLength(1)
    expect(`${started.stdout}${started.stderr}`).not.toMatch(/warn|error|fail|deprecat|experimental|\(node:/i)
    expect(started.stderr).toBe('')
    expect(await started.kill('SIGTERM')).toBe(0)
  })

  test('each flag is an environment variable too, and a flag goes before it', async () => {
    const port = String(await freePort())
    const started = new Started(['start', '--rate', '7'], {
      MADANG_PORT: port,
      MADANG_ADMIN_PORT: '0',
      MADANG_DATA: dataFolder(),
      MADANG_RATE: '9',
      MADANG_FRAME: '4096',
      MADANG_LOG_LEVEL: 'warn',
    })
    expect(await started.ready()).toBe(`http://localhost:${port}`)
    const url = `http://127.0.0.1:${port}`
    const raw = new Raw(url)
    const { token } = await newGuest(url, 'Ann')
    expect(await raw.hello({ token })).toMatchObject({ limits: { rate: 7, frame: 4096 } })
    expect(started.lines).toHaveLength(1)
    raw.cut()
    await started.kill()
  })

  test('MADANG_JWT_SECRET_FILE reads a secret from a file', async () => {
    const file = join(folder.path, 'jwt-secret')
    const secret = 'kept in a file, and long enough for HS256'
    writeFileSync(file, secret)
    const { started, url } = await run([], { MADANG_JWT_SECRET_FILE: file })
    const raw = new Raw(url)
    expect(await raw.hello({ token: jwt({ sub: 'ann', name: 'Ann' }, { secret }) })).toMatchObject({
      player: { id: 'ann' },
    })
    raw.cut()
    await started.kill()
  })

  test('--durability memory keeps nothing and makes no folder; --games takes several folders', async () => {
    const games = ['games', 'loadtest/games'].map((name) => new URL(`../../${name}`, import.meta.url).pathname)
    const { started, url } = await run(['--durability', 'memory', '--games', games.join(',')])
    const ids = Object(await (await fetch(`${url}/v1/games`)).json()).games.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining(['tictactoe', 'mafia', 'bench']))
    await started.kill()
  })

  test('the log has no token, no name and no payload, also at the most talkative level', async () => {
    const { started, url } = await run(['--log-level', 'trace'])
    const { token } = await newGuest(url, 'Unmistakable')
    const raw = new Raw(url)
    await raw.hello({ token })
    const room = await raw.create('mafia', { night: 314.159 })
    await raw.join(room)
    await raw.ask(5, room, 'vote', { target: 'a-certain-target' })
    await raw.ask(5, room, 'vote', 'nonsense-payload')
    raw.sendBytes(new Uint8Array([0xc1]))
    await raw.closeCode()
    await started.kill('SIGTERM')
    for (const word of [token, token.split('.')[2] ?? '', 'Unmistakable', 'a-certain-target', 'nonsense-payload'])
      expect(started.stdout + started.stderr).not.toContain(word)
  })

  test('--tls-cert and --tls-key: https and wss on the same port, the ready line says https, the cookie is Secure', async () => {
    const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', '/CN=localhost', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    )
    const { started, url } = await run(['--tls-cert', cert, '--tls-key', key])
    expect(url).toMatch(/^https:/)
    const body = JSON.stringify({ name: 'Ann' })
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const guest = await new Promise<{ cookie: string; token: string }>((resolve, reject) => {
      const sent = request(
        `${url}/v1/guests`,
        { method: 'POST', headers, rejectUnauthorized: false },
        async (response) => {
          const answer = Buffer.concat(await response.toArray()).toString()
          resolve({ cookie: String(response.headers['set-cookie']), token: String(JSON.parse(answer).token) })
        },
      )
      sent.on('error', reject).end(body)
    })
    expect(guest.cookie).toMatch(/; ?Secure/i)
    const raw = new Raw(url, { rejectUnauthorized: false })
    expect(await raw.hello({ token: guest.token })).toMatchObject({ player: { name: 'Ann' } })
    raw.cut()
    await started.kill()
  })

  test('--help names every flag of the manual, exit 0', async () => {
    const help = new Started(['start', '--help'])
    expect(await help.gone).toBe(0)
    for (const flag of 'host port admin-host admin-port admin-token data nats roles games durability jwt-secret jwks-url jwt-issuer jwt-audience guests origins trust-proxy tls-cert tls-key media-ip media-port media-announce media-workers ice-servers rate frame retention log-level'.split(
      ' ',
    ))
      expect(help.stdout).toContain(`--${flag}`)
    expect(help.stderr).toBe('')
  })
})

describe.concurrent('the admin port', () => {
  const admin = async (args: string[] = []) => {
    const port = await freePort()
    const started = new Started(['start', '--data', dataFolder(), '--port', '0', '--admin-port', String(port), ...args])
    const url = (await started.ready()).replace('localhost', '127.0.0.1')
    return { started, url, base: `http://127.0.0.1:${port}` }
  }

  test('/healthz, /readyz, /metrics (Prometheus), /admin; nothing of the clients’ API', async () => {
    const { started, url, base } = await admin()
    const { token } = await newGuest(url, 'Ann')
    const raw = new Raw(url)
    await raw.hello({ token })
    await raw.create('tictactoe')
    for (const path of ['/healthz', '/readyz']) expect((await fetch(base + path)).status).toBe(200)
    const metrics = await fetch(`${base}/metrics`)
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain.*version=0\.0\.4/)
    const text = await metrics.text()
    expect(text).toMatch(/^# HELP madang_\w+ /m)
    expect(text).toMatch(/^# TYPE madang_\w+ (counter|gauge|histogram)/m)
    expect(text).toMatch(/^madang_\w*connections\w*(\{.*\})? 1$/m)
    expect((await fetch(`${base}/v1/games`)).status).toBe(404)
    expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(405)
    raw.cut()
    await started.kill()
  })

  test('--admin-token: /admin only with it as Bearer; without a token no web page may read it', async () => {
    const { started, base } = await admin(['--admin-token', 'open sesame'])
    const get = async (headers: Record<string, string> = {}) =>
      (await fetch(`${base}/admin/status`, { headers })).status
    expect(await get()).toBe(401)
    expect(await get({ authorization: 'Bearer wrong' })).toBe(401)
    expect(await get({ authorization: 'Bearer open sesame' })).toBe(200)
    await started.kill()
    const open = await admin()
    const status = async (headers: Record<string, string> = {}) =>
      (await fetch(`${open.base}/admin/status`, { headers })).status
    expect(await status()).toBe(200)
    expect(await status({ origin: 'http://evil.example' })).toBe(403)
    await open.started.kill()
  })

  test('if the default port is taken, the next free one, and a line says which', async () => {
    using _taken = await occupy(3001)
    const started = new Started(['start', '--data', dataFolder(), '--port', '0'])
    await started.ready()
    const line = started.stdout.split('\n').find((each) => each.includes(' 3001 '))
    const port = Number(/\b(?!3001)(\d{4,5})\b/.exec(line ?? '')?.[1])
    expect(port, started.stdout).toBeGreaterThan(3001)
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200)
    expect(started.stdout.indexOf(line ?? '')).toBeLessThan(started.stdout.indexOf('Madang is ready'))
    await started.kill()
  })
})

test('readyz is 503 on the admin port from SIGTERM on, as long as it answers', async () => {
  const port = await freePort()
  const started = new Started(['start', '--data', dataFolder(), '--port', '0', '--admin-port', String(port)])
  const url = (await started.ready()).replace('localhost', '127.0.0.1')
  const { token } = await newGuest(url, 'Ann')
  const raw = new Raw(url)
  await raw.hello({ token })
  const gone = started.kill('SIGTERM')
  const bye = await raw.next(41)
  expect(dig(bye, 2, 'resume')).toBe(true)
  const statuses = new Set<number>()
  for (let status = 1; status !== 0; statuses.add(status))
    status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
  expect([...statuses].every((status) => status === 503 || status === 0)).toBe(true)
  expect(await gone).toBe(0)
})
