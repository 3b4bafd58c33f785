import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MediaPolicy, PlainRulesState, RulesState, Stepped } from '../../engine/rules/game.ts'
import { createRunner } from '../../engine/rules/runner.ts'
import { DECK } from './deck.ts'
import charades from './rules.ts'
import { type Stage, TEAMS, type TeamName } from './stage.ts'
import { bare, means, nameOf, type Word } from './word.ts'

const runner = createRunner(charades)
const READY_MS = 15_000
const TURN_MS = 60_000
const names = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`)
const begin = (n: number, options: unknown = undefined, seed = 1): Stepped =>
  runner.start({ players: names(n), options: runner.parseOptions(options), at: 0, seed })
/** What the machine itself knows, which no view shows. */
const contextOf = (state: RulesState): Stage => Object(runner.toPlain(state).snapshot).context
const publicOf = (state: RulesState) =>
  runner.everyone(state) as {
    phase: 'ready' | 'acting' | 'over'
    turn: number
    turns: number
    team: TeamName | null
    performer: string | null
    next: string | null
    teams: Record<TeamName, string[]>
    scores: Record<TeamName, number>
    endsAt: number | null
    guesses: { by: string; text: string; right: boolean }[]
    words: { word: object; outcome: string; by: string | null }[]
    winner: TeamName | 'draw' | null
  }
const wordOf = (state: RulesState, viewer: string | null) => runner.only(state, viewer).word

type Move = 'begin' | 'guess' | 'skip'
const move = (state: RulesState, by: string, type: Move, payload: unknown = {}, at = 1_000): Stepped | null =>
  runner.step(state, { type, by, payload: runner.parseMove(type, payload), at, seed: 5 })
const must = (stepped: Stepped | null): Stepped => stepped ?? expect.fail('the move was refused')
const leaves = (state: RulesState, by: string, at = 1_000): Stepped | null =>
  runner.step(state, { type: 'player.left', by, at, seed: 5 })
/** The one timer that runs falls due. */
const fire = (state: RulesState, at: number): Stepped => {
  const [next, ...others] = state.deadlines
  if (next === undefined || others.length > 0) throw new Error(`${state.deadlines.length} timers run`)
  return runner.fire(state, next, { at, seed: 6 })
}
const events = (stepped: Stepped | null) => stepped?.emits.map(({ event }) => event)

/** Who is who while the turn is acted. */
const acting = (n: number, options: unknown = undefined, seed = 1) => {
  const ready = begin(n, options, seed).state
  const { next: performer, team, teams } = publicOf(ready)
  if (performer === null || team === null) throw new Error('nobody performs')
  const { state } = must(move(ready, performer, 'begin'))
  const guessers = teams[team].filter((p) => p !== performer)
  return { state, performer, guessers, rivals: teams[team === 'sun' ? 'moon' : 'sun'], word: contextOf(state).word }
}
const first = (list: readonly string[]): string => list[0] ?? expect.fail('nobody is there')

describe('charades: the draw', () => {
  it.each([4, 5, 8, 11, 12])('makes of %i players two teams as even as can be, with everyone in one of them', (n) => {
    const { teams, next, team } = publicOf(begin(n).state)
    expect([...teams.sun, ...teams.moon].toSorted()).toEqual(names(n).toSorted())
    expect(teams.sun.length - teams.moon.length).toBe(n % 2)
    expect([team, next]).toEqual(['sun', teams.sun[0]])
  })

  it('is by chance: over many seeds each player is as often in either team, and as often the first to perform', () => {
    const inSun = new Map<string, number>()
    const isFirst = new Map<string, number>()
    const firstWords = new Set<string>()
    for (let seed = 0; seed < 2_000; seed++) {
      const { state } = begin(5, undefined, seed)
      const { teams, next } = publicOf(state)
      for (const p of teams.sun) inSun.set(p, (inSun.get(p) ?? 0) + 1)
      isFirst.set(String(next), (isFirst.get(String(next)) ?? 0) + 1)
      firstWords.add(contextOf(state).word.en)
    }
    for (const p of names(5)) {
      expect(Math.abs((inSun.get(p) ?? 0) - 1_200)).toBeLessThan(120)
      expect(Math.abs((isFirst.get(p) ?? 0) - 400)).toBeLessThan(100)
    }
    expect(firstWords.size, 'each word comes first some time').toBe(DECK.length)
  })

  it('begins with the getting ready of the first turn, which all are told of', () => {
    const start = begin(4)
    const { next, teams } = publicOf(start.state)
    expect(runner.everyone(start.state)).toEqual({
      phase: 'ready',
      turn: 1,
      turns: 6,
      team: 'sun',
      performer: null,
      next,
      teams,
      scores: { sun: 0, moon: 0 },
      endsAt: READY_MS,
      guesses: [],
      words: [],
      winner: null,
    })
    expect(start.emits).toEqual([{ event: { type: 'turn', performer: next, team: 'sun', turn: 1 }, to: null }])
    expect(runner).toMatchObject({
      id: 'charades',
      players: [4, 12],
      autoStart: false,
      dropIn: false,
      moves: ['begin', 'guess', 'skip'],
    })
  })

  it('takes how long things last from its options, within bounds', () => {
    const { state, performer } = acting(4, { ready: 1.5, turn: 7, rounds: 1 })
    expect(publicOf(state)).toMatchObject({ turns: 2, endsAt: 8_000, performer })
    expect(runner.parseOptions(null)).toEqual({ turn: 60, ready: 15, rounds: 3 })
    for (const options of [
      { turn: 0 },
      { turn: 601 },
      { ready: -1 },
      { ready: 121 },
      { rounds: 0 },
      { rounds: 13 },
      { rounds: 1.5 },
      { turn: 'long' },
    ])
      expect(() => runner.parseOptions(options), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: 'invalid_payload' }),
      )
    expect(runner.optionsSchema).toMatchObject({ properties: { turn: { default: 60 } } })
  })
})

describe('charades: a turn', () => {
  it('is begun by its performer, or by the clock', () => {
    const { state } = begin(4)
    const { next: performer, teams } = publicOf(state)
    for (const p of [...teams.sun, ...teams.moon].filter((p) => p !== performer))
      expect(move(state, p, 'begin')).toBeNull()
    expect(publicOf(must(move(state, String(performer), 'begin', {}, 4_000)).state)).toMatchObject({
      phase: 'acting',
      performer,
      next: null,
      endsAt: 4_000 + TURN_MS,
    })
    expect(publicOf(fire(state, READY_MS).state)).toMatchObject({ phase: 'acting', endsAt: READY_MS + TURN_MS })
  })

  it('scores for a right guess and brings the next word, while the clock runs on', () => {
    const { state, performer, guessers, word } = acting(6)
    const by = first(guessers)
    const guessed = must(move(state, by, 'guess', { text: word.en }, 9_000))
    expect(publicOf(guessed.state)).toMatchObject({
      phase: 'acting',
      performer,
      scores: { sun: 1, moon: 0 },
      endsAt: 1_000 + TURN_MS,
      guesses: [{ by, text: word.en, right: true }],
      words: [{ word: nameOf(word), outcome: 'guessed', by }],
    })
    expect(guessed.emits).toEqual([{ event: { type: 'guessed', by, word: nameOf(word) }, to: null }])
    const next = contextOf(guessed.state).word
    expect(next.en).not.toBe(word.en)
    expect(wordOf(guessed.state, performer)).toEqual(nameOf(next))
    const again = must(move(guessed.state, by, 'guess', { text: word.en }))
    expect(publicOf(again.state).scores, 'yesterday’s word is worth nothing').toEqual({ sun: 1, moon: 0 })
  })

  it('shows a wrong guess to all, and nothing else comes of it', () => {
    const { state, guessers, word } = acting(4)
    const by = first(guessers)
    const guessed = must(move(state, by, 'guess', { text: '  no such thing ' }))
    expect(guessed.emits).toEqual([])
    expect(publicOf(guessed.state)).toEqual({
      ...publicOf(state),
      guesses: [{ by, text: 'no such thing', right: false }],
    })
    expect(contextOf(guessed.state).word).toEqual(word)
  })

  it('brings the next word without a point when the performer skips', () => {
    const { state, performer, word } = acting(4)
    const skipped = must(move(state, performer, 'skip'))
    expect(publicOf(skipped.state)).toMatchObject({
      scores: { sun: 0, moon: 0 },
      words: [{ word: nameOf(word), outcome: 'skipped', by: null }],
      endsAt: 1_000 + TURN_MS,
    })
    expect(events(skipped)).toEqual([{ type: 'skipped', word: nameOf(word) }])
    expect(contextOf(skipped.state).word.en).not.toBe(word.en)
  })

  it('ends by the clock: the word is told, and the other team gets ready', () => {
    const { state, word } = acting(4)
    const over = fire(state, 61_000)
    const { teams } = publicOf(over.state)
    expect(publicOf(over.state)).toMatchObject({
      phase: 'ready',
      turn: 2,
      team: 'moon',
      performer: null,
      next: teams.moon[0],
      endsAt: 61_000 + READY_MS,
      words: [{ word: nameOf(word), outcome: 'missed', by: null }],
    })
    expect(events(over)).toEqual([
      { type: 'missed', word: nameOf(word) },
      { type: 'turn', performer: teams.moon[0], team: 'moon', turn: 2 },
    ])
    const next = fire(over.state, 80_000).state
    expect(publicOf(next), 'a turn begins with a clean slate').toMatchObject({ words: [], guesses: [] })
  })

  it('keeps the last dozen guesses and words, whatever is typed', () => {
    const { state, performer, guessers } = acting(4)
    const many = Array.from({ length: 40 }, (_, i) => i).reduce(
      (now, i) => must(move(now, first(guessers), 'guess', { text: `guess ${i}` })).state,
      state,
    )
    expect(publicOf(many).guesses.map(({ text }) => text)).toEqual(
      Array.from({ length: 12 }, (_, i) => `guess ${28 + i}`),
    )
    let skipped = state
    for (let i = 0; i < 40; i++) skipped = must(move(skipped, performer, 'skip')).state
    expect(publicOf(skipped).words).toHaveLength(12)
    for (const text of ['', '   ', 'x'.repeat(41), 7])
      expect(() => runner.parseMove('guess', { text })).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
  })

  it('never runs out of words: used up, all come again, none of them twice in a row', () => {
    const { state: start, performer } = acting(4, { turn: 600 })
    let state = start
    const seen: string[] = []
    for (let i = 0; i < DECK.length; i++) {
      expect(contextOf(state).deck).toHaveLength(DECK.length - 1 - i)
      seen.push(contextOf(state).word.en)
      state = must(move(state, performer, 'skip')).state
    }
    expect(new Set(seen).size, 'each comes once before any comes again').toBe(DECK.length)
    const { word, deck } = contextOf(state)
    const again = [word, ...deck].map(({ en }) => en)
    expect(again.toSorted()).toEqual(seen.slice(0, -1).toSorted())
    for (const known of [seen, DECK.map(({ en }) => en)])
      expect(again, 'in another order').not.toEqual(known.filter((one) => one !== seen.at(-1)))
  })
})

describe('charades: what is right', () => {
  const word = (en: string, ko: string, ...also: string[]): Word => ({ en, ko, also })
  it.each([
    ['elephant', true],
    ['ELEPHANT', true],
    [' ele phant! ', true],
    ['éléphant', true],
    ['ｅｌｅｐｈａｎｔ', true],
    ['코끼리', true],
    ['코 끼 리', true],
    ['코끼리'.normalize('NFD'), true],
    ['jumbo', true],
    ['elephants', false],
    ['코끼', false],
    ['!?', false],
  ])('of an elephant %j is right: %s', (text, isRight) => {
    expect(means(text, word('elephant', '코끼리', 'Jumbo'))).toBe(isRight)
  })

  it('is one thing per word of the deck: sixty words or more, none of which can be taken for another', () => {
    expect(DECK.length).toBeGreaterThanOrEqual(60)
    const meant = new Map<string, string>()
    for (const { en, ko, also } of DECK) {
      const forms = [en, ko, ...also].map(bare)
      expect(new Set(forms).size, `${en} says a thing once`).toBe(forms.length)
      for (const form of forms) {
        expect(form).not.toBe('')
        expect(meant.get(form), `${form} of ${en}`).toBeUndefined()
        meant.set(form, en)
      }
      expect(en).toMatch(/^[a-z ]+$/)
      expect(ko).toMatch(/^[가-힣 ]+$/)
    }
  })
})

describe('charades: who may do what', () => {
  it('refuses everything else, and says why in both languages', () => {
    const { state, performer, guessers, rivals } = acting(6)
    const ready = begin(6).state
    const [guesser, rival] = [first(guessers), first(rivals)]
    const over = leaves(leaves(state, first(rivals))?.state ?? state, rivals[1] ?? '')?.state ?? state
    const guess = { text: 'robot' }
    const refusals: readonly (readonly [RulesState, string, Move, unknown, string])[] = [
      [ready, guesser, 'begin', {}, 'The performer begins.'],
      [ready, rival, 'begin', {}, 'The performer begins.'],
      [ready, guesser, 'guess', guess, 'Wait until it begins.'],
      [ready, performer, 'skip', {}, 'Wait until it begins.'],
      [state, performer, 'begin', {}, 'It has begun already.'],
      [state, guesser, 'skip', {}, 'Only the performer skips.'],
      [state, rival, 'skip', {}, 'Only the performer skips.'],
      [state, performer, 'guess', guess, 'You know the word. Show it.'],
      [state, rival, 'guess', guess, 'The other team guesses now.'],
      [state, 'stranger', 'guess', guess, 'You are in neither team.'],
      [over, guesser, 'guess', guess, 'The game is over.'],
    ]
    for (const [at, by, type, payload, en] of refusals) {
      expect(move(at, by, type, payload), `${by} ${type}`).toBeNull()
      const why = runner.explain(at, { type, by, payload: runner.parseMove(type, payload) })
      expect(why).toEqual({ en, ko: expect.stringMatching(/요\.$/) })
    }
    for (const [at, by, type, payload] of [
      [ready, performer, 'begin', {}],
      [state, performer, 'skip', {}],
      [state, guesser, 'guess', guess],
    ] as const) {
      expect(move(at, by, type, payload)).not.toBeNull()
      expect(runner.explain(at, { type, by, payload })).toBeNull()
    }
  })

  it('lists to bots what they may try: of the words all, as a bot cannot see', () => {
    const { state, performer, guessers, rivals } = acting(4)
    const ready = begin(4).state
    expect(runner.legal(ready, performer)).toEqual([{ type: 'begin', payload: {} }])
    for (const p of [...guessers, ...rivals]) expect(runner.legal(ready, p)).toEqual([])
    expect(runner.legal(state, performer)).toEqual([{ type: 'skip', payload: {} }])
    expect(runner.legal(state, first(guessers))).toEqual(
      DECK.map(({ en }) => ({ type: 'guess', payload: { text: en } })),
    )
    for (const p of [...rivals, 'stranger']) expect(runner.legal(state, p)).toEqual([])
  })
})

describe('charades: leaving', () => {
  it('is not dropping: the turn of who drops goes on, and so does the clock', () => {
    const { state, performer, guessers, rivals } = acting(4)
    for (const by of [performer, ...guessers, ...rivals])
      for (const type of ['player.dropped', 'player.returned'])
        expect(runner.step(state, { type, by, at: 1, seed: 1 })).toBeNull()
  })

  it('of the performer hands the turn to the next of the team, from its start; points and the other turns stay', () => {
    const { state, performer, guessers, word } = acting(6)
    const scored = must(move(state, first(guessers), 'guess', { text: word.ko })).state
    const missed = contextOf(scored).word
    const left = leaves(scored, performer, 30_000)
    expect(publicOf(must(left).state)).toMatchObject({
      phase: 'ready',
      turn: 1,
      team: 'sun',
      performer: null,
      next: first(guessers),
      scores: { sun: 1, moon: 0 },
      endsAt: 30_000 + READY_MS,
      teams: { sun: guessers },
      words: [{ outcome: 'guessed' }, { word: nameOf(missed), outcome: 'missed' }],
    })
    expect(events(left)).toEqual([
      { type: 'missed', word: nameOf(missed) },
      { type: 'turn', performer: first(guessers), team: 'sun', turn: 1 },
    ])
    const ready = begin(6).state
    expect(publicOf(must(leaves(ready, performer, 5_000)).state)).toMatchObject({
      phase: 'ready',
      turn: 1,
      next: first(guessers),
      endsAt: 5_000 + READY_MS,
    })
  })

  it('of anybody else makes the team smaller, and the turn goes on', () => {
    for (const { state, performer, guessers, rivals } of [acting(6)]) {
      for (const by of [...guessers, ...rivals]) {
        const left = must(leaves(state, by))
        expect(left.emits).toEqual([])
        expect(publicOf(left.state)).toMatchObject({ phase: 'acting', performer, endsAt: 1_000 + TURN_MS })
        expect(Object.values(publicOf(left.state).teams).flat()).not.toContain(by)
        expect(move(left.state, by, 'guess', { text: 'robot' })).toBeNull()
        expect(wordOf(left.state, by)).toBeNull()
      }
    }
    const ready = begin(6).state
    expect(publicOf(must(leaves(ready, first(publicOf(ready).teams.moon))).state)).toMatchObject({
      phase: 'ready',
      endsAt: READY_MS,
    })
  })

  it.each(['ready', 'acting'] as const)(
    'ends the game while %s once a team has fewer than two: the other wins',
    (phase) => {
      for (const team of TEAMS)
        for (const seat of [0, 1]) {
          const state = phase === 'ready' ? begin(4).state : acting(4).state
          const { word } = contextOf(state)
          const by = publicOf(state).teams[team][seat] ?? ''
          const left = must(leaves(state, by))
          const winner = team === 'sun' ? 'moon' : 'sun'
          expect(runner.done(left.state)).toBe(true)
          expect(left.state.deadlines).toEqual([])
          expect(events(left)).toEqual([
            ...(phase === 'acting' ? [{ type: 'missed', word: nameOf(word) }] : []),
            { type: 'end', winner },
          ])
          expect(runner.result(left.state)).toEqual({
            winner,
            winners: publicOf(state).teams[winner],
            scores: { sun: 0, moon: 0 },
          })
        }
    },
  )
})

describe('charades: the end', () => {
  /** Plays all turns by the clock; `points` are guessed in each. */
  const playOut = (n: number, rounds: number, points: readonly number[]) => {
    let { state } = begin(n, { rounds })
    const performers: string[] = []
    let last: Stepped | null = null
    for (let turn = 0; !runner.done(state); turn++) {
      if (turn > 100) throw new Error('it never ends')
      const { next: performer, team, teams } = publicOf(state)
      performers.push(String(performer))
      state = must(move(state, String(performer), 'begin', {}, turn * 100_000)).state
      for (let i = 0; i < (points[turn] ?? 0); i++) {
        const by = teams[team ?? 'sun'].find((p) => p !== performer) ?? ''
        state = must(move(state, by, 'guess', { text: contextOf(state).word.ko })).state
      }
      last = fire(state, turn * 100_000 + TURN_MS)
      state = last.state
    }
    return { state, performers, last }
  }

  it('comes after as many turns as the options say; the team with more points wins', () => {
    const { state, performers, last } = playOut(4, 2, [1, 2, 0, 1])
    expect(performers).toHaveLength(4)
    const { teams } = publicOf(state)
    expect(runner.everyone(state)).toMatchObject({
      phase: 'over',
      turn: 4,
      team: null,
      performer: null,
      next: null,
      endsAt: null,
      scores: { sun: 1, moon: 3 },
      winner: 'moon',
    })
    expect(events(last)).toEqual([expect.objectContaining({ type: 'missed' }), { type: 'end', winner: 'moon' }])
    expect(runner.result(state)).toEqual({ winner: 'moon', winners: teams.moon, scores: { sun: 1, moon: 3 } })
    expect(state.deadlines).toEqual([])
    expect(leaves(state, 'p0')).toBeNull()
  })

  it('is a draw with as many points', () => {
    const { state } = playOut(4, 1, [2, 2])
    expect(runner.result(state)).toEqual({ winner: 'draw', winners: [], scores: { sun: 2, moon: 2 } })
  })

  it('has had everybody of a team perform before one performs again', () => {
    const { performers } = playOut(7, 8, [])
    const sun = performers.filter((_, i) => i % 2 === 0)
    const moon = performers.filter((_, i) => i % 2 === 1)
    expect([new Set(sun.slice(0, 4)).size, new Set(moon.slice(0, 3)).size]).toEqual([4, 3])
    expect(sun.slice(4)).toEqual(sun.slice(0, 4))
    expect(moon.slice(3, 6)).toEqual(moon.slice(0, 3))
  })
})

describe('charades: who sees and hears whom', () => {
  const { state, performer, guessers, rivals } = acting(7)
  const roles = { performer: [performer], guesser: guessers, rival: rivals, spectator: [null] } as const
  const members = { performer: [performer], guesser: guessers, rival: rivals }
  type Viewer = keyof typeof roles
  type Heard = keyof typeof members
  const hears = ({ hear }: MediaPolicy, other: string): boolean =>
    hear === 'all' || (hear !== 'none' && hear.includes(other))

  it.each<readonly [Viewer, readonly Heard[]]>([
    ['performer', ['guesser']],
    ['guesser', ['guesser']],
    ['rival', ['guesser', 'rival']],
    ['spectator', ['guesser']],
  ])('while a turn is acted, a %s sees everyone and hears the kinds of %s and no other', (viewer, heard) => {
    for (const one of roles[viewer]) {
      const policy = runner.media(state, one)
      expect(policy.see).toBe('all')
      for (const role of ['performer', 'guesser', 'rival'] as const)
        for (const other of members[role])
          expect(hears(policy, other), `${one} hears ${other}`).toBe(heard.includes(role))
    }
  })

  it('before, between and after the turns all see and hear all', () => {
    const over = must(leaves(acting(4).state, first(acting(4).rivals))).state
    for (const at of [begin(7).state, fire(state, 61_000).state, over])
      for (const viewer of [...names(7), null]) expect(runner.media(at, viewer)).toEqual({ see: 'all', hear: 'all' })
  })

  it('the performer writes to nobody meanwhile, and the team that watches to itself only', () => {
    const audiences = runner.chatAudiences
    expect(audiences.toSorted()).toEqual(['moon', 'players', 'spectators', 'sun'])
    const writes = (at: RulesState, member: string | null) => audiences.filter((to) => runner.mayWrite(at, to, member))
    const reads = (at: RulesState, viewer: string | null) => audiences.filter((to) => runner.mayRead(at, to, viewer))
    expect(writes(state, performer)).toEqual([])
    for (const p of guessers) expect(writes(state, p)).toEqual(['players'])
    for (const p of rivals) expect(writes(state, p)).toEqual(['moon'])
    for (const p of guessers) expect(reads(state, p).toSorted()).toEqual(['players', 'sun'])
    for (const p of rivals) expect(reads(state, p).toSorted()).toEqual(['moon', 'players'])
    expect([writes(state, null), reads(state, null).toSorted()]).toEqual([['spectators'], ['players', 'spectators']])
    const ready = fire(state, 61_000).state
    for (const p of names(7)) expect(writes(ready, p)).toEqual(['players'])
    const { next, teams } = publicOf(ready)
    const second = must(move(ready, String(next), 'begin')).state
    for (const p of teams.sun) expect(writes(second, p)).toEqual(['sun'])
  })
})

describe('charades: whatever happens', () => {
  interface Step {
    readonly before: RulesState
    readonly stepped: Stepped
  }

  /** Random play to the end, with leaving, right and wrong guesses, legal and illegal moves. */
  const play = (n: number, seed: number, chance: () => number, look: (step: Step) => void): RulesState => {
    const draw = (below: number) => chance() % below
    let { state } = begin(n, { rounds: 1 + draw(3) }, seed)
    let at = 0
    for (let i = 0; !runner.done(state); i++) {
      if (i > 2_000) throw new Error('it never ends')
      const player = `p${draw(n)}`
      const kind = draw(24)
      const stepped = ((): Stepped | null => {
        if (kind < 3) {
          at = Math.max(at, state.deadlines[0]?.due ?? at)
          return fire(state, at)
        }
        if (kind === 3 && draw(6) === 0) return leaves(state, player, at)
        if (kind < 8)
          return move(state, player, 'guess', { text: contextOf(state).word[draw(2) === 0 ? 'en' : 'ko'] }, at)
        if (kind < 12) return move(state, player, 'guess', { text: `wrong ${draw(9)}` }, at)
        if (kind < 16) return move(state, player, (['begin', 'skip'] as const)[draw(2)] ?? 'skip', {}, at)
        const moves = runner.legal(state, player) ?? []
        const legal = moves[draw(moves.length || 1)]
        if (legal === undefined) return null
        return must(runner.step(state, { ...legal, by: player, at, seed: i }))
      })()
      if (stepped === null) continue
      look({ before: state, stepped })
      state = stepped.state
    }
    return state
  }
  const plays = (runs: number, look: (step: Step) => void, after: (end: RulesState) => void = () => {}): void =>
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 12 }),
        fc.nat({ max: 0xffffffff }),
        fc.infiniteStream(fc.nat()),
        (n, seed, chance) => after(play(n, seed, () => chance.next().value ?? 0, look)),
      ),
      { numRuns: runs },
    )

  it('scores grow by one for a right guess of the acting team and by nothing else; the game ends and its winner is right', () => {
    let points = 0
    plays(
      40,
      ({ before, stepped }) => {
        const [was, is] = [publicOf(before), publicOf(stepped.state)]
        const right = stepped.emits.filter(({ event }) => event.type === 'guessed')
        expect(right.length).toBeLessThan(2)
        for (const team of TEAMS)
          expect(is.scores[team] - was.scores[team]).toBe(right.length === 1 && was.team === team ? 1 : 0)
        for (const { event } of right) {
          expect(was.teams[was.team ?? 'sun']).toContain(event.by)
          expect(event.by).not.toBe(was.performer)
          points += 1
        }
        expect(stepped.state.deadlines).toHaveLength(is.phase === 'over' ? 0 : 1)
        expect(is.endsAt).toBe(stepped.state.deadlines[0]?.due ?? null)
        const everyone = [...is.teams.sun, ...is.teams.moon]
        expect(new Set(everyone).size).toBe(everyone.length)
        if (is.phase === 'over') return
        expect(TEAMS.every((team) => is.teams[team].length >= 2)).toBe(true)
        expect(is.phase === 'acting' ? [is.performer, is.next] : [is.next, is.performer]).toEqual([
          is.teams[is.team ?? 'sun'][0],
          null,
        ])
      },
      (end) => {
        const { winner, scores, teams, team, performer } = publicOf(end)
        expect([team, performer]).toEqual([null, null])
        const gone = TEAMS.find((one) => teams[one].length < 2)
        const best = scores.sun === scores.moon ? 'draw' : scores.sun > scores.moon ? 'sun' : 'moon'
        expect(winner).toBe(gone === undefined ? best : gone === 'sun' ? 'moon' : 'sun')
      },
    )
    expect(points).toBeGreaterThan(40)
  })

  /** The same state with other words in it: the one that is acted, and those to come. */
  const withWords = (state: RulesState, change: (stage: Stage) => Pick<Stage, 'word' | 'deck'>): RulesState => {
    const plain: PlainRulesState = structuredClone(runner.toPlain(state))
    const snapshot = Object(plain.snapshot)
    Object.assign(snapshot.context, change(snapshot.context))
    return runner.fromPlain(plain)
  }
  const secret: Word = { en: 'secret', ko: '비밀', also: [] }
  const all = (state: RulesState, viewer: string | null) => ({
    everyone: runner.everyone(state),
    only: runner.only(state, viewer),
    media: runner.media(state, viewer),
    legal: viewer === null ? null : runner.legal(state, viewer),
    writes: runner.chatAudiences.filter((to) => runner.mayWrite(state, to, viewer)),
    why: (['begin', 'guess', 'skip'] as const).map((type) =>
      runner.explain(state, { type, by: viewer ?? 'x', payload: { text: 'elephant' } }),
    ),
  })

  it('the word reaches the performer and the team that watches, and nothing tells it to who guesses or looks on', () => {
    let [told, hidden] = [0, 0]
    plays(25, ({ stepped: { state } }) => {
      const other = withWords(state, ({ deck }) => ({ word: secret, deck }))
      const { phase, performer, team, teams } = publicOf(state)
      for (const viewer of [...names(12), null]) {
        const knows =
          phase === 'acting' &&
          viewer !== null &&
          (viewer === performer ||
            (teams.sun.concat(teams.moon).includes(viewer) && !teams[team ?? 'sun'].includes(viewer)))
        if (knows) {
          expect(wordOf(state, viewer)).toEqual(nameOf(contextOf(state).word))
          expect(wordOf(other, viewer)).toEqual(nameOf(secret))
          told += 1
        } else {
          expect(all(other, viewer)).toEqual(all(state, viewer))
          hidden += 1
        }
      }
    })
    expect(told).toBeGreaterThan(100)
    expect(hidden).toBeGreaterThan(100)
  })

  it('nobody knows the words to come, and what is told of a word is told once it is settled', () => {
    plays(25, ({ before, stepped: { state, emits } }) => {
      const other = withWords(state, ({ word }) => ({ word, deck: [secret, secret] }))
      for (const viewer of [...names(12), null]) expect(all(other, viewer)).toEqual(all(state, viewer))
      const { word } = contextOf(before)
      for (const { event } of emits.filter(({ event }) => 'word' in event)) {
        expect(event.word).toEqual(nameOf(word))
        expect(publicOf(state).words.at(-1)?.word).toEqual(nameOf(word))
        expect(contextOf(state).word.en).not.toBe(word.en)
      }
    })
  })
})
