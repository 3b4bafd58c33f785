import { expect, test } from 'vitest'
import type { Session } from '../../client/client.ts'
import { MadangError } from '../../client/client.ts'
import { TRANSPORTS } from '../../client/link.ts'
import type mafia from '../../games/mafia/rules.ts'
import { runMadang, until } from '../program.ts'
import { canonical } from '../sim/checks/past.ts'
import { programOfThisFile } from '../wire/program.ts'
import { pastOf, wrongIn } from './reference.ts'
import { enter, PROGRAM, type Seen, sit } from './seats.ts'

type Mafia = typeof mafia

/** Votes as soon as it may, once in each phase but on the first day, which only its deadline ends. */
const vote = (session: Session, { room }: Seen<Mafia>): void => {
  let voted = ''
  const look = (): void => {
    const { game } = room.document
    const me = session.player?.id ?? ''
    if (game === null || game.phase === 'over' || !game.alive.includes(me)) return
    const when = `${game.phase} ${game.round}`
    if (when === voted || when === 'day 1' || (game.phase === 'night' && game.role !== 'mafia')) return
    voted = when
    const target = game.alive.find((player) => !(game.phase === 'night' ? game.mafia : [me])?.includes(player)) ?? ''
    // A vote that comes after the phase is not one.
    room.move.vote({ target }).catch((error: unknown) => {
      if (!(error instanceof MadangError) || error.code !== 'illegal_move') throw error
    })
  }
  room.subscribe(look)
  look()
}

const program = await programOfThisFile(...PROGRAM)

test('P1 to P4: eight play a whole mafia, two by each transport, with a spectator on each, and all see what the log says they may', {
  timeout: 300_000,
}, async () => {
  const transports = [...TRANSPORTS, ...TRANSPORTS]
  const sessions = await Promise.all(transports.map((transport, i) => sit(program.url, `Player ${i}`, transport)))
  const watching = await Promise.all(TRANSPORTS.map((transport) => sit(program.url, `Eve by ${transport}`, transport)))
  const id = (await sessions[0]?.create('mafia', { night: 20, day: 4 })) ?? ''
  const seats: Seen<Mafia>[] = []
  for (const session of sessions) seats.push(await enter<Mafia>(session, id))
  const eves = await Promise.all(watching.map((session) => enter<Mafia>(session, id, { role: 'spectator' })))
  for (const [i, session] of sessions.entries()) vote(session, seats[i] ?? expect.fail())
  await seats[0]?.room.start()
  const all = [...seats, ...eves]
  await until(() => all.every(({ room }) => room.document.room.phase === 'over'), 'the end, everywhere', 200_000)
  const past = await pastOf(program.data, id)
  await until(() => all.every(({ emits }) => emits.at(-1)?.event.type === 'end'), 'the last announcement, everywhere')

  const whole = [...sessions, ...watching].map((session, i) => ({
    by: session.transport.current,
    wrong: wrongIn(past, session.player?.id ?? '', all[i] ?? expect.fail()),
  }))
  expect(whole).toEqual([...transports, ...TRANSPORTS].map((by) => ({ by, wrong: [] })))
  for (const { room, emits } of all) {
    expect(room.document.game).toMatchObject({ phase: 'over', winner: expect.stringMatching(/mafia|citizen/) })
    expect(emits.map(({ event }) => event.type)).toEqual(expect.arrayContaining(['death', 'spared', 'end']))
  }
  for (const [i, session] of sessions.entries()) {
    const replay = await runMadang(['replay', id, '--data', program.data, '--as', session.player?.id ?? '', '--json'])
    expect(canonical(JSON.parse(replay.stdout).document)).toBe(canonical(seats[i]?.room.document))
  }
  for (const session of [...sessions, ...watching]) session.close()
  expect(await program.kill('SIGTERM')).toBe(0)
})
