import { expect, test } from 'vitest'
import { connect, MadangError } from '../client/client.ts'
import { cellOf, type Logged, logsOf } from './faults/logs.ts'
import { startTable } from './faults/tables.ts'
import { type Program, runMadang, startMadang, temporaryFolder, until } from './program.ts'

const KILLS = 20
const TABLES = 6
/** A table is left behind by at most so many kills: else two guests who wait ever longer could find the server down each time. */
const KILLS_BETWEEN_MOVES = 8
/** How long a turn may be in coming, and a request under way. */
const PATIENCE_MS = 120_000

const movesIn = (log: readonly Logged[]) => log.flatMap((event) => (event.type === 'move' ? [event] : []))

test(`P1 P2: ${KILLS} times kill -9 under load: nothing acknowledged is lost, nothing happens twice, and play goes on`, {
  timeout: 480_000,
}, async () => {
  using data = temporaryFolder()
  let program: Program = await startMadang(['--data', data.path])
  const { url, port } = program
  /** When the server was there again after each kill, by this process's clock. */
  const backAt: number[] = []
  const tables = await Promise.all(
    Array.from({ length: TABLES }, (_, n) => startTable(url, n, () => backAt.length < KILLS, PATIENCE_MS)),
  )
  const acknowledged = () => tables.flatMap(({ moves }) => moves)
  const failed = Promise.all(tables.map(({ over }) => over)).then(() => null)
  while (backAt.length < KILLS) {
    const enough = acknowledged().length + 1 + Math.floor(Math.random() * 60)
    const since = backAt.at(-KILLS_BETWEEN_MOVES) ?? 0
    const isTime = () =>
      acknowledged().length >= enough && tables.every(({ moves }) => (moves.at(-1)?.at ?? 0) >= since)
    await Promise.race([failed, until(isTime, 'more moves at every table', 60_000)])
    await program.kill('SIGKILL')
    program = await startMadang(['--data', data.path], { port })
    backAt.push(performance.now())
  }
  await failed

  const moves = acknowledged()
  const logs = await logsOf({ data: data.path }, new Set(moves.map(({ room }) => room)))
  const [[first, read] = expect.fail('nothing was played')] = logs
  const { stdout, code } = await runMadang(['log', first, '--data', data.path, '--json'])
  expect(code).toBe(0)
  expect(stdout.trim().split('\n')).toEqual(read.map((event) => JSON.stringify(event)))
  for (const { room, seq, by, cell } of moves) {
    const logged = movesIn(logs.get(room) ?? []).filter((event) => cellOf(event) === cell)
    expect(logged).toMatchObject([{ seq, origin: { by } }])
  }
  for (const log of logs.values()) {
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1))
    expect(movesIn(log)).toHaveLength(6)
    const requests = log.flatMap((event) =>
      'origin' in event && event.origin !== null ? [JSON.stringify(event.origin)] : [],
    )
    expect(new Set(requests).size).toBe(requests.length)
  }
  const verify = await runMadang(['verify', '--data', data.path])
  expect(verify).toMatchObject({ code: 0 })
  for (const { sessions } of tables) for (const session of sessions) session.close()
  await program.kill('SIGTERM')
  console.log(`${KILLS} kills, ${moves.length} acknowledged moves in ${logs.size} rooms, 0 lost, 0 doubled`)
})

test('a session whose requests were unanswered at the kill gets its answers after the restart, each once', async () => {
  using data = temporaryFolder()
  const first = await startMadang(['--data', data.path])
  const session = connect({ url: first.url, guest: 'Ann', deadline: 60_000 })
  await session.ready
  const asked = Array.from({ length: 20 }, () => session.create('tictactoe'))
  await first.kill('SIGKILL')
  const second = await startMadang(['--data', data.path], { port: first.port })
  const rooms = await Promise.all(asked)
  expect(new Set(rooms).size).toBe(20)
  await expect(session.join('no-such-room')).rejects.toBeInstanceOf(MadangError)
  session.close()
  await second.kill('SIGTERM')
})
