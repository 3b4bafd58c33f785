import { resolve } from 'node:path'
import { expect, onTestFailed, test } from 'vitest'
import { type Program, startMadang, temporaryFolder, until } from '../program.ts'
import { enter, type Guest, newGuest, Raw, table } from './raw.ts'

const games = ['games', 'loadtest/games'].map((folder) => resolve(folder)).join(',')
const MOVES = 60

/** A small seeded generator, so that a run that fails can be run again. */
const generator = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One player who moves, is cut, takes itself over, and comes back with what it held; returns its last socket. */
const wander = async (
  url: string,
  room: string,
  { guest, session, raw: opened }: { guest: Guest; session: string; raw: Raw },
  draw: (below: number) => number,
  sockets: Raw[],
): Promise<{ raw: Raw; values: number[] }> => {
  let raw = opened
  const values: number[] = []
  let ref = 10_000
  const back = async (): Promise<void> => {
    const held = raw.held.get(room)
    const next = new Raw(url)
    if (held !== undefined) next.held.set(room, held)
    sockets.push(next)
    try {
      await next.hello({ token: guest.token, session })
      next.send([3, ++ref, room, ...(held === undefined ? [] : [{ since: held.seq }])])
      const answer = await next.answer(ref)
      if (answer[0] !== 33) throw new Error(JSON.stringify(answer))
      raw = next
    } catch (error) {
      if (next.closed === null && !String(error).includes('unavailable')) throw error
      await new Promise((done) => setTimeout(done, 50))
      return back()
    }
  }
  for (let i = 0; i < MOVES; i++) {
    const value = draw(1_000_000)
    const move = [5, ++ref, room, 'set', { cell: draw(64), value }]
    const own = ref
    values.push(value)
    for (let done = false; !done; ) {
      if (raw.closed !== null) await back()
      raw.send(move)
      const whim = draw(12)
      if (whim === 0) raw.cut()
      if (whim === 1) await back()
      if (whim <= 2) raw.send(move)
      const answer = await raw.answer(own).catch((error: unknown) => {
        if (raw.closed === null) throw error
        return null
      })
      done = answer?.[0] === 33
      if (!done && answer !== null && answer[2] !== 'unavailable') throw new Error(JSON.stringify(answer))
    }
  }
  return { raw, values }
}

test('P1–P4 eight players are cut, taken over and come back with `since`, while the server is killed with -9 three times: every PATCH fits, nothing is lost or doubled, and all documents are one', {
  timeout: 240_000,
}, async () => {
  const data = temporaryFolder()
  const args = ['--data', data.path, '--games', games, '--rate', '2000']
  let program: Program = await startMadang(args)
  const { url, port } = program
  const seed = Math.floor(Math.random() * 2 ** 31)
  onTestFailed(() => console.log(`the storm of seed ${seed}`))
  const { room, seats } = await table(url, 'bench', 8)
  const sockets = seats.map(({ raw }) => raw)
  const watcher = await newGuest(url, 'Watcher')
  let over = false
  const play = Promise.all(seats.map((seat, i) => wander(url, room, seat, generator(seed + i), sockets)))
  const ended = play.finally(() => {
    over = true
  })
  for (let kills = 0; kills < 3; kills++) {
    const turns = () => Math.max(...sockets.map((raw) => Number(raw.see(room, 'game', 'turn') ?? 0)))
    const goal = 100 * (kills + 1)
    await until(() => over || turns() >= goal, `turn ${goal}`, 60_000)
    await program.kill('SIGKILL')
    program = await startMadang(args, { port })
  }
  const players = await ended
  expect(
    sockets.flatMap(({ broken }) => broken),
    `seed ${seed}`,
  ).toEqual([])
  const fresh = new Raw(url)
  await fresh.hello({ token: watcher.token })
  await fresh.join(room)
  await fresh.until(() => fresh.held.has(room))
  expect(fresh.see(room, 'game', 'turn'), `seed ${seed}`).toBe(8 * MOVES)
  for (const [i, { raw, values }] of players.entries()) {
    await raw.until(
      () => raw.see(room, 'game', 'turn') === 8 * MOVES,
      () => `all moves at player ${i}, seed ${seed}`,
    )
    expect(raw.see(room, 'game', 'cells')).toEqual(fresh.see(room, 'game', 'cells'))
    expect(raw.see(room, 'game', 'scores')).toEqual(Object.fromEntries(seats.map(({ id }) => [id, MOVES])))
    expect(raw.see(room, 'game', 'secret')).toBe(values.reduce((s, v) => (Math.imul(s, 31) + v) & 0x7fffffff, 1))
  }
  for (const raw of [...sockets, fresh]) raw.cut()
  await program.kill()
  data[Symbol.dispose]()
})

test('MATCH by ten at once: five rooms with two each, and nobody alone', async () => {
  const data = temporaryFolder()
  const program = await startMadang(['--data', data.path])
  const players = await Promise.all(Array.from({ length: 10 }, (_, i) => enter(program.url, `P ${i}`)))
  const rooms = await Promise.all(
    players.map(async ({ raw }) => {
      const { room } = Object(await raw.ok(9, 'tictactoe'))
      expect(await raw.join(room)).toMatchObject({ role: 'player' })
      return String(room)
    }),
  )
  expect(new Set(rooms).size).toBe(5)
  for (const [i, { raw }] of players.entries())
    await raw.until(() => raw.see(rooms[i] ?? '', 'room', 'phase') === 'playing')
  for (const { raw } of players) raw.cut()
  await program.kill()
  data[Symbol.dispose]()
})
