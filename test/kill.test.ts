import { expect, test } from 'vitest'
import { openStored } from '../cli/stored.ts'
import { connect, MadangError, type Room, type Session } from '../client/client.ts'
import { roomHistory } from '../engine/partition/history.ts'
import type { RoomInput } from '../engine/room/input.ts'
import type tictactoe from '../games/tictactoe/rules.ts'
import type { RoomId, Seq } from '../protocol/frames.ts'
import { type Program, runMadang, startMadang, temporaryFolder, until } from './program.ts'

const KILLS = 20
const TABLES = 6
/** A table is left behind by at most so many kills: else two guests who wait ever longer could find the server down each time. */
const KILLS_BETWEEN_MOVES = 8

/** A move that was acknowledged: what must be in the log exactly once. */
interface Acknowledged {
  room: string
  seq: number
  by: string
  cell: number
}

/** Two guests who play tictactoe against each other for as long as they are let, one room after the other. */
const playOn = async (
  url: string,
  table: number,
  moved: (move: Acknowledged) => void,
  goesOn: () => boolean,
): Promise<Session[]> => {
  const options = { url, deadline: 120_000 }
  const sessions = [connect({ ...options, guest: `Ann ${table}` }), connect({ ...options, guest: `Bob ${table}` })]
  const [ann, bob] = sessions as [Session, Session]
  const ids = [(await ann.ready).id, (await bob.ready).id]
  while (goesOn()) {
    const id = await ann.create('tictactoe')
    const rooms = [await ann.join<typeof tictactoe>(id), await bob.join<typeof tictactoe>(id)]
    for (const [turn, cell] of [0, 3, 1, 4, 6, 5].entries()) {
      const room = rooms[turn % 2] as Room<typeof tictactoe>
      const by = ids[turn % 2] ?? ''
      await until(() => room.document.game?.turn === by, `the turn of ${by} in ${id}`, 120_000)
      const seq = await room.move.mark({ cell })
      moved({ room: id, seq, by, cell })
      // Durable before visible: what resolved is in the document already.
      expect(room.document.game?.cells[cell]).toBe(by)
    }
    expect(rooms[1]?.document.game?.winner).toBe(ids[1])
    await Promise.all(rooms.map((room) => room.leave()))
  }
  return sessions
}

type Logged = RoomInput & { readonly seq: Seq }

/** What the data folder holds of these rooms, as `madang log` reads it: a process of its own for each would take minutes. */
const logsOf = async (data: string, rooms: ReadonlySet<RoomId>): Promise<Map<RoomId, Logged[]>> => {
  const stored = await openStored({ data })
  if ('exit' in stored) throw new Error(stored.text)
  try {
    const logs = new Map<RoomId, Logged[]>()
    for (const room of rooms) {
      const log: Logged[] = []
      for await (const { seq, input } of roomHistory(room, stored)) log.push({ seq, ...input })
      logs.set(room, log)
    }
    return logs
  } finally {
    await stored.close()
  }
}

const movesIn = (log: readonly Logged[]) => log.flatMap((event) => (event.type === 'move' ? [event] : []))

test(`P1 P2: ${KILLS} times kill -9 under load: nothing acknowledged is lost, nothing happens twice, and play goes on`, {
  timeout: 240_000,
}, async () => {
  using data = temporaryFolder()
  let program: Program = await startMadang(['--data', data.path])
  const { url, port } = program
  const acknowledged: Acknowledged[] = []
  let kills = 0
  /** By table: how many kills there had been at its last move. */
  const lastMoved = Array.from({ length: TABLES }, () => 0)
  const tables = lastMoved.map((_, table) => {
    const moved = (move: Acknowledged) => {
      acknowledged.push(move)
      lastMoved[table] = kills
    }
    return playOn(url, table, moved, () => kills < KILLS)
  })
  const failed = Promise.all(tables).then(() => null)
  while (kills < KILLS) {
    const enough = acknowledged.length + 1 + Math.floor(Math.random() * 60)
    const isTime = () => acknowledged.length >= enough && Math.min(...lastMoved) > kills - KILLS_BETWEEN_MOVES
    await Promise.race([failed, until(isTime, 'more moves at every table', 60_000)])
    await program.kill('SIGKILL')
    program = await startMadang(['--data', data.path], { port })
    kills += 1
  }
  const sessions = (await Promise.all(tables)).flat()

  const logs = await logsOf(data.path, new Set(acknowledged.map(({ room }) => room)))
  const [[first, read] = expect.fail('nothing was played')] = logs
  const { stdout, code } = await runMadang(['log', first, '--data', data.path, '--json'])
  expect(code).toBe(0)
  expect(stdout.trim().split('\n')).toEqual(read.map((event) => JSON.stringify(event)))
  for (const { room, seq, by, cell } of acknowledged) {
    const logged = movesIn(logs.get(room) ?? []).filter(({ payload }) => (payload as { cell: number }).cell === cell)
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
  for (const session of sessions) session.close()
  await program.kill('SIGTERM')
  console.log(`${KILLS} kills, ${acknowledged.length} acknowledged moves in ${logs.size} rooms, 0 lost, 0 doubled`)
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
