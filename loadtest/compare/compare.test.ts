import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder, until } from '../../test/program.ts'
import { compare, type Findings } from './compare.ts'
import { LONG_POLLING, POLLING_250, POLLING_1000, ROWS, type Row, SSE, WEBSOCKET } from './transports.ts'

const PAGE = fileURLToPath(new URL('../../docs/transports.md', import.meta.url))
const RUN = fileURLToPath(new URL('run.ts', import.meta.url))

/** Ten seconds in which nobody moves, two with four moves a second, of eight players. */
const PLAN = {
  rooms: 1,
  idleSeconds: 10,
  rates: [4],
  seconds: 2,
  players: [8],
  moves: 4,
  spectators: [8, 16],
  settleSeconds: 0.2,
}
/** What a machine that is busy elsewhere may add or lose. */
const SLACK = 0.15

const isAbout = (value: number, expected: number) => {
  expect(value).toBeGreaterThanOrEqual(expected * (1 - SLACK))
  expect(value).toBeLessThanOrEqual(expected * (1 + SLACK))
}

const trafficOf = ({ traffic }: Findings, row: Row) => {
  const found = traffic.find((each) => each.row === row)
  const playing = found?.playing[0]?.tally
  if (found === undefined || playing === undefined) throw new Error(`nothing about ${row.title}`)
  return { idle: found.idle, playing }
}

test('the whole comparison with a few players: each transport says as much as it must, and every move is seen by all', async () => {
  const findings = await compare(PLAN, 1_024, () => {})

  isAbout(trafficOf(findings, POLLING_1000).idle.messagesUp, 60)
  isAbout(trafficOf(findings, POLLING_250).idle.messagesUp, 240)
  isAbout(trafficOf(findings, WEBSOCKET).idle.messagesUp, 6)
  // A poll is held for 25 s, and a stream is silent but for a comment each 15 s.
  expect(trafficOf(findings, LONG_POLLING).idle.messagesUp).toBe(0)
  expect(trafficOf(findings, SSE).idle.messagesUp).toBe(0)

  // A player moves 30 times a minute, and sees 240 moves.
  isAbout(trafficOf(findings, SSE).playing.messagesUp, 30)
  isAbout(trafficOf(findings, SSE).playing.messagesDown, 270)
  isAbout(trafficOf(findings, LONG_POLLING).playing.messagesUp, 270)
  isAbout(trafficOf(findings, WEBSOCKET).playing.messagesDown, 270 + 6)
  isAbout(trafficOf(findings, POLLING_1000).playing.messagesUp, 60 + 30)

  const rung = (row: Row) => findings.rungs.find((each) => each.row === row)
  for (const row of ROWS) expect(rung(row)).toMatchObject({ players: 8, flaw: null })
  for (const row of ROWS) expect(rung(row)?.cpu).toBeGreaterThan(0)
  expect(rung(POLLING_1000)?.p50).toBeGreaterThan(150)
  expect(rung(POLLING_1000)?.p50).toBeGreaterThan(rung(WEBSOCKET)?.p50 ?? Number.POSITIVE_INFINITY)
  for (const { live } of findings.weights) expect(live).not.toBeNaN()

  const { handshakes = '', traffic = '', aims = '' } = findings.sections
  expect(handshakes).toMatch(/← HTTP\/1\.1 101 Switching Protocols\n(← .*\n)*←\n\n→ 82 .*\n +\[1,\{"v":1,"token":"eyJ/)
  expect(handshakes).toMatch(/← HTTP\/1\.1 200 OK\n(← .*\n)*← [Cc]ontent-[Tt]ype: text\/event-stream/)
  expect(handshakes).toContain('← HTTP/1.1 204 No Content')
  expect(handshakes).not.toMatch(/eyJ[\w-]{10}/)
  for (const { title } of ROWS) expect(traffic.match(new RegExp(`^\\| ${title} \\|`, 'gm'))).toHaveLength(3)
  expect(aims.match(/met|missed/g)).toHaveLength(5)

  const page = readFileSync(PAGE, 'utf8')
  for (const name of Object.keys(findings.sections)) expect(page).toContain(`<!-- compare:${name} -->`)
  for (const name of Object.keys(findings.charts)) expect(page).toContain(`(transports/${name})`)
}, 240_000)

test('SIGINT in the middle ends the server, and leaves no folder and the page as it was', async () => {
  using folder = temporaryFolder()
  const before = readFileSync(PAGE, 'utf8')
  const child = spawn(process.execPath, [RUN, '--quick'], {
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
  await until(() => printed.includes('bytes: '), 'the handshakes to be done')
  const [server = ''] = await until(
    () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').match(/\d+/g),
    'a server',
  )
  await until(() => readdirSync(folder.path).length > 0, 'its data')
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([130, null])
  await until(() => !existsSync(`/proc/${server}`), 'the end of the server')
  expect(readdirSync(folder.path)).toEqual([])
  expect(readFileSync(PAGE, 'utf8')).toBe(before)
})
