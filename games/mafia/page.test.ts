import { expect, test } from 'vitest'
import page from './page.ts'

type Document = Parameters<typeof page.standing>[0]
type Game = NonNullable<Document['game']>

const PLAYERS = ['ann', 'bob', 'cho', 'dan', 'eva', 'fay', 'gil', 'hal']

const night = (game: Partial<Game>): Document => ({
  room: { phase: 'playing', game: 'mafia', version: 1, host: 'ann', players: PLAYERS, members: {} },
  game: {
    phase: 'night',
    round: 1,
    alive: PLAYERS,
    dead: {},
    endsAt: null,
    winner: null,
    role: 'citizen',
    mafia: null,
    votes: null,
    ...game,
  },
})
const OUT = { alive: PLAYERS.slice(0, -1), dead: { hal: 'citizen' as const } }
const MAFIA = { role: 'mafia' as const, mafia: ['ann', 'bob'] }
const hiddenFrom = (document: Document, me: string) => page.standing(document, me).hidden
const reach = (document: Document, me: string) => page.words.en.reach?.(document, me)

test('by night the tiles of all are closed to the town and to those who watch, to the mafia all but its own, to who is out none', () => {
  expect(hiddenFrom(night({}), 'cho')).toEqual(PLAYERS.filter((id) => id !== 'cho'))
  expect(hiddenFrom(night({ role: null }), 'zoe')).toEqual(PLAYERS)
  expect(hiddenFrom(night(MAFIA), 'ann')).toEqual(PLAYERS.slice(2))
  expect(hiddenFrom(night(OUT), 'hal')).toEqual([])
  expect(hiddenFrom(night({ phase: 'day' }), 'cho')).toEqual([])
})

test('each is told who alone sees and hears them by night, as media of the rules has it', () => {
  expect(reach(night({}), 'cho')).toEqual({ sight: null, voice: null })
  expect(reach(night(MAFIA), 'ann')).toEqual({ sight: 'the mafia', voice: 'the mafia' })
  expect(reach(night({ ...MAFIA, mafia: ['ann'] }), 'ann'), 'alone').toEqual({ sight: null, voice: null })
  expect(reach(night({ ...OUT, ...MAFIA }), 'ann')?.sight).toBe('the mafia and those who are out')
  expect(reach(night(OUT), 'cho')).toEqual({ sight: 'those who are out', voice: 'those who are out' })
  expect(reach(night(OUT), 'hal'), 'the only one who is out').toEqual({ sight: null, voice: null })
  expect(reach(night({ phase: 'day' }), 'cho')).toBeNull()
})
