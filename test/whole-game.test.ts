import { expect, test } from 'vitest'
import { connect } from '../client/client.ts'
import type mafia from '../games/mafia/rules.ts'
import type tictactoe from '../games/tictactoe/rules.ts'
import { runMadang, startMadang, temporaryFolder, until } from './program.ts'

test('two SDK clients play a whole tictactoe on the real program, and its log replays to what they saw', async () => {
  using data = temporaryFolder()
  const program = await startMadang(['--data', data.path])
  const ann = connect({ url: program.url, guest: 'Ann' })
  const bob = connect({ url: program.url, guest: 'Bob' })
  const [a, b] = [await ann.ready, await bob.ready]
  const id = await ann.create('tictactoe')
  const annRoom = await ann.join<typeof tictactoe>(id)
  const bobRoom = await bob.join<typeof tictactoe>(id)
  await until(() => annRoom.document.room.phase === 'playing', 'the start')
  await expect(bobRoom.move.mark({ cell: 4 })).rejects.toMatchObject({ code: 'illegal_move' })
  await expect(annRoom.move.mark({ cell: 12 })).rejects.toMatchObject({ code: 'invalid_payload' })
  for (const [room, cell] of [
    [annRoom, 0],
    [bobRoom, 3],
    [annRoom, 1],
    [bobRoom, 4],
  ] as const)
    await room.move.mark({ cell })
  const last = await annRoom.move.mark({ cell: 2 })
  expect(annRoom.document.game).toMatchObject({ winner: a.id, turn: null })
  await until(() => bobRoom.seq === last, "the last move in the other's document")
  expect(bobRoom.document).toEqual(annRoom.document)
  expect(bobRoom.document.room.players).toEqual([a.id, b.id])
  expect(bobRoom.document.room.phase).toBe('over')

  const replay = await runMadang(['replay', id, '--data', data.path, '--as', b.id, '--json'])
  expect(JSON.parse(replay.stdout).document).toEqual(bobRoom.document)
  const verify = await runMadang(['verify', '--data', data.path])
  expect(verify).toMatchObject({ code: 0, stderr: '' })
  const elsewhere = await runMadang(['verify', '--data', data.path, '--games', 'loadtest/games/bench'])
  expect(elsewhere).toMatchObject({ code: 0, stderr: '' })
  expect(elsewhere.stdout).toContain(`room ${id}: its game "tictactoe" is in none of the --games`)

  const next = await bobRoom.again()
  expect(await annRoom.again()).toBe(next)
  expect((await annRoom.call('again')) as { room: string }).toEqual({ room: next })
  const again = await ann.join<typeof tictactoe>(next)
  expect(again.document.room).toMatchObject({ phase: 'playing', players: [a.id, b.id] })
  ann.close()
  bob.close()
  expect(await program.kill('SIGTERM')).toBe(0)
})

test('P4 private: five play a short mafia to its end, and no citizen is told a role before it is public', async () => {
  using data = temporaryFolder()
  const program = await startMadang(['--data', data.path])
  const sessions = ['Ann', 'Bob', 'Cho', 'Dan', 'Eve'].map((guest) => connect({ url: program.url, guest }))
  const players = await Promise.all(sessions.map((session) => session.ready))
  const [host] = sessions
  const id = (await host?.create('mafia', { night: 600, day: 600 })) ?? ''
  const rooms = await Promise.all(sessions.map((session) => session.join<typeof mafia>(id)))
  await rooms[0]?.start()
  await until(() => rooms.every((room) => room.document.game !== null), 'the first night')
  const watcher = await connect({ url: program.url, guest: 'Watcher' }).join<typeof mafia>(id)
  expect(watcher.role).toBe('spectator')
  const killers = rooms.filter((room) => room.document.game?.role === 'mafia')
  expect(killers).toHaveLength(1)
  for (const room of [...rooms, watcher]) {
    const { game } = room.document
    if (game?.role !== 'mafia') expect(game).toMatchObject({ mafia: null, votes: null })
  }
  const me = players.find((_, i) => rooms[i] === killers[0])
  while (rooms[0]?.document.room.phase === 'playing') {
    const { phase, alive } = rooms[0].document.game ?? { phase: 'over', alive: [] as string[] }
    const victim = alive.find((p) => p !== me?.id) ?? ''
    const voters = phase === 'night' ? killers : rooms.filter((_, i) => alive.includes(players[i]?.id ?? ''))
    const round = `${phase} ${alive.length}`
    for (const room of voters) await room.move.vote({ target: victim })
    await until(
      () => rooms.every(({ document: { game } }) => `${game?.phase} ${game?.alive.length}` !== round),
      `the end of ${round}`,
    )
  }
  await until(() => watcher.document.game?.phase === 'over', 'the end')
  expect(watcher.document.game).toMatchObject({ winner: 'mafia', mafia: [me?.id], votes: null, endsAt: null })
  for (const session of sessions) session.close()
  await program.kill('SIGTERM')
})
