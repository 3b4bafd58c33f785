import { expect, test } from 'vitest'
import { connect, type Room, type Session } from '../client/client.ts'
import type bench from '../loadtest/games/bench/rules.ts'
import { startMadang, temporaryFolder, until } from './program.ts'

const ROOMS = 12
const SEATS = 8
const SPECTATORS = 4
const GAMES = 'loadtest/games'

/** One room with everybody in it: eight players and a few who watch. */
const table = async (url: string, table: number): Promise<{ sessions: Session[]; rooms: Room<typeof bench>[] }> => {
  // Guests share an address's rate: they arrive one after the other.
  const sessions: Session[] = []
  for (let i = 0; i < SEATS + SPECTATORS; i++) {
    const session = connect({ url, guest: `Guest ${table} ${i}`, deadline: 120_000 })
    await session.ready
    sessions.push(session)
  }
  const id = (await sessions[0]?.create('bench')) ?? ''
  const rooms: Room<typeof bench>[] = []
  for (const session of sessions) rooms.push(await session.join<typeof bench>(id))
  return { sessions, rooms }
}

test('a reconnect storm: everyone comes back after kill -9 and after a drain, with equal documents and every move once', {
  timeout: 240_000,
}, async () => {
  using data = temporaryFolder()
  const args = ['--data', data.path, '--games', GAMES, '--rate', '500']
  let program = await startMadang(args)
  const { port } = program
  const tables = await Promise.all(Array.from({ length: ROOMS }, (_, i) => table(program.url, i)))
  const players = tables.flatMap(({ rooms }) => rooms.slice(0, SEATS))
  let moves = 0
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    const answers = players.map((room, i) => room.move.set({ cell: i % 64, value: moves + i }))
    moves += 1
    await program.kill(signal)
    program = await startMadang(args, { port })
    await Promise.all(answers)
  }
  for (const { rooms } of tables) {
    const [first] = rooms
    await until(() => rooms.every((room) => room.document.game?.turn === moves * SEATS), 'every move in every document')
    for (const [i, room] of rooms.entries()) {
      const { secret, ...game } = room.document.game ?? { secret: null }
      const { secret: _own, ...expected } = first?.document.game ?? { secret: null }
      expect(game).toEqual(expected)
      expect(typeof secret).toBe(i < SEATS ? 'number' : 'object')
    }
    expect(Object.values(first?.document.game?.scores ?? {})).toEqual(new Array(SEATS).fill(moves))
  }
  for (const { sessions } of tables) for (const session of sessions) session.close()
  expect(await program.kill('SIGTERM')).toBe(0)
})
