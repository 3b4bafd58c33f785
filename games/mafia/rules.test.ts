import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RulesState, Stepped } from '../../engine/rules/game.ts'
import { createRunner } from '../../engine/rules/runner.ts'
import mafia from './rules.ts'

const runner = createRunner(mafia)
const NIGHT_MS = 30_000
const DAY_MS = 120_000
const names = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`)
const begin = (n: number, seed = 1, options: unknown = undefined): RulesState =>
  runner.start({ players: names(n), options: runner.parseOptions(options), at: 0, seed }).state

const mafiaOf = (state: RulesState, n: number) => names(n).filter((p) => runner.only(state, p).role === 'mafia')
const votes = (state: RulesState, by: string, target: string, at = 1_000): Stepped | null =>
  runner.step(state, { type: 'vote', by, payload: runner.parseMove('vote', { target }), at, seed: 5 })
const leaves = (state: RulesState, by: string): Stepped | null =>
  runner.step(state, { type: 'player.left', by, at: 1_000, seed: 5 })
/** Every vote must be taken. */
const all = (state: RulesState, ballots: readonly (readonly [by: string, target: string])[]): Stepped =>
  ballots.reduce<Stepped>(
    (before, [by, target]) => {
      const next = votes(before.state, by, target)
      if (next === null) throw new Error(`${by}'s vote against ${target} was refused`)
      return { state: next.state, emits: [...before.emits, ...next.emits] }
    },
    { state, emits: [] },
  )
const fire = (state: RulesState, at: number): Stepped => {
  const [next] = state.deadlines
  if (next === undefined || state.deadlines.length > 1) throw new Error(`${state.deadlines.length} timers run`)
  return runner.fire(state, next, { at, seed: 6 })
}
const events = ({ emits }: Stepped) => emits.map(({ event }) => event)
/** Eight players, two of them mafia; the mafia and the citizens by name, after a night in which nobody died. */
const firstDay = () => {
  const night = begin(8)
  const bad = mafiaOf(night, 8)
  const good = names(8).filter((p) => !bad.includes(p))
  return { bad, good, day: fire(night, NIGHT_MS).state }
}

describe('mafia: the start', () => {
  it.each([
    [5, 1],
    [7, 1],
    [8, 2],
    [11, 2],
    [12, 3],
  ])('of %i players makes %i mafia', (n, count) => {
    expect(mafiaOf(begin(n), n)).toHaveLength(count)
  })

  it('is the first night, with a deadline 30 s on, everyone alive and nothing known', () => {
    expect(runner.everyone(begin(5))).toEqual({
      phase: 'night',
      round: 1,
      alive: names(5),
      dead: {},
      endsAt: NIGHT_MS,
      winner: null,
    })
    expect(runner).toMatchObject({ id: 'mafia', players: [5, 12], autoStart: false, dropIn: false, moves: ['vote'] })
  })

  it('gives the roles by chance: over many seeds each seat is mafia as often', () => {
    const counts = new Map(names(5).map((p) => [p, 0]))
    for (let seed = 0; seed < 2_000; seed++)
      for (const p of mafiaOf(begin(5, seed), 5)) counts.set(p, (counts.get(p) ?? 0) + 1)
    for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(100)
  })

  it('takes how long the phases last from its options, in seconds', () => {
    const night = begin(5, 1, { night: 7, day: 1.5 })
    expect(runner.everyone(night).endsAt).toBe(7_000)
    expect(runner.everyone(fire(night, 9_000).state)).toMatchObject({ phase: 'day', endsAt: 10_500 })
    for (const options of [{ night: 0 }, { day: -1 }, { night: 'long' }])
      expect(() => runner.parseOptions(options)).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
    expect(runner.parseOptions(null)).toEqual({ night: 30, day: 120 })
    expect(runner.optionsSchema).toMatchObject({ type: 'object', properties: { night: { default: 30 } } })
  })
})

describe('mafia: the night', () => {
  it('ends when all the mafia has voted; the one with most votes is dead, with a role that all see', () => {
    const night = begin(8)
    const [[one = '', two = ''], victim] = [
      mafiaOf(night, 8),
      names(8).find((p) => !mafiaOf(night, 8).includes(p)) ?? '',
    ]
    const ended = all(night, [
      [one, victim],
      [two, victim],
    ])
    expect(events(ended)).toEqual([{ type: 'death', player: victim, role: 'citizen', cause: 'vote' }])
    expect(runner.everyone(ended.state)).toMatchObject({
      phase: 'day',
      round: 1,
      dead: { [victim]: 'citizen' },
      endsAt: 1_000 + DAY_MS,
    })
    expect(runner.everyone(ended.state).alive).not.toContain(victim)
  })

  it('lets a vote change until all have voted, and spares everyone when they differ', () => {
    const night = begin(8)
    const [one = '', two = ''] = mafiaOf(night, 8)
    const [ann = '', bo = ''] = names(8).filter((p) => p !== one && p !== two)
    const changed = all(night, [
      [one, ann],
      [one, bo],
    ]).state
    expect(runner.only(changed, two).votes).toEqual({ [one]: bo })
    const ended = all(changed, [[two, ann]])
    expect(events(ended)).toEqual([{ type: 'spared' }])
    expect(runner.everyone(ended.state)).toMatchObject({ phase: 'day', alive: names(8), dead: {} })
  })

  it('takes votes of the mafia only, and none against its own or against who is not there', () => {
    const night = begin(8)
    const [one = '', two = ''] = mafiaOf(night, 8)
    const good = names(8).filter((p) => p !== one && p !== two)
    const why = (by: string, target: string) => {
      expect(votes(night, by, target)).toBeNull()
      return runner.explain(night, { type: 'vote', by, payload: { target } })
    }
    for (const citizen of good) expect(why(citizen, one)).toMatchObject({ en: 'By night only the mafia votes.' })
    for (const target of [one, two])
      expect(why(one, target)).toMatchObject({ en: 'The mafia does not vote against its own.' })
    expect(why(one, 'nobody')).toMatchObject({ en: 'Vote for somebody who is alive in the town.' })
    expect(why('stranger', one)).toMatchObject({ en: 'Only the living vote.' })
  })

  it('ends at its deadline with the votes that are there; without any it spares everyone', () => {
    expect(events(fire(begin(8), NIGHT_MS))).toEqual([{ type: 'spared' }])
    const night = begin(8)
    const [one = '', two = ''] = mafiaOf(night, 8)
    const victim = names(8).find((p) => p !== one && p !== two) ?? ''
    const dawn = fire(all(night, [[one, victim]]).state, NIGHT_MS)
    expect(runner.everyone(dawn.state).dead).toEqual({ [victim]: 'citizen' })
  })
})

describe('mafia: the day', () => {
  it('shows the votes to all, lets one vote for oneself, and ends when all the living have voted', () => {
    const { day, good, bad } = firstDay()
    const [ann = ''] = good
    const almost = all(
      day,
      [...good, ...bad].slice(1).map((p) => [p, ann] as const),
    ).state
    for (const viewer of [...names(8), null])
      expect(Object.keys(Object(runner.only(almost, viewer).votes))).toHaveLength(7)
    const ended = all(almost, [[ann, ann]])
    expect(events(ended)).toEqual([{ type: 'death', player: ann, role: 'citizen', cause: 'vote' }])
    expect(runner.everyone(ended.state)).toMatchObject({ phase: 'night', round: 2, endsAt: 1_000 + NIGHT_MS })
    expect(runner.only(ended.state, ann)).toEqual({ role: 'citizen', mafia: null, votes: null })
  })

  it('spares everyone on a tie', () => {
    const { day, good } = firstDay()
    const [ann = '', bo = ''] = good
    const ended = fire(
      all(day, [
        [ann, bo],
        [bo, ann],
      ]).state,
      200_000,
    )
    expect(events(ended)).toEqual([{ type: 'spared' }])
    expect(runner.everyone(ended.state)).toMatchObject({ phase: 'night', round: 2, alive: names(8) })
  })

  it('takes no vote of the dead or against them', () => {
    const { day, good, bad } = firstDay()
    const [ann = '', bo = ''] = good
    const night = all(
      day,
      [...good, ...bad].map((p) => [p, ann] as const),
    ).state
    const next = fire(night, 500_000).state
    expect(runner.everyone(next)).toMatchObject({ phase: 'day', round: 2 })
    expect(votes(next, ann, bo)).toBeNull()
    expect(votes(next, bo, ann)).toBeNull()
    expect(runner.explain(next, { type: 'vote', by: ann, payload: { target: bo } })).toMatchObject({
      en: 'Only the living vote.',
    })
    expect(runner.legal(next, ann)).toEqual([])
  })
})

describe('mafia: leaving', () => {
  it('takes a player out of the town, and voids the ballots from and for that player', () => {
    const { day, good } = firstDay()
    const [ann = '', bo = '', cy = ''] = good
    const left = leaves(
      all(day, [
        [ann, bo],
        [bo, cy],
        [cy, cy],
      ]).state,
      bo,
    )
    expect(left && events(left)).toEqual([{ type: 'death', player: bo, role: 'citizen', cause: 'left' }])
    expect(runner.everyone(left?.state ?? day)).toMatchObject({ phase: 'day', dead: { [bo]: 'citizen' } })
    expect(runner.only(left?.state ?? day, ann).votes).toEqual({ [cy]: cy })
    expect(left && leaves(left.state, bo)).toBeNull()
  })

  it('ends the phase when only that vote was missing', () => {
    const { day, good, bad } = firstDay()
    const [ann = '', bo = ''] = good
    const almost = all(
      day,
      [...good, ...bad].slice(1).map((p) => [p, bo] as const),
    ).state
    const ended = leaves(almost, ann)
    expect(runner.everyone(ended?.state ?? day)).toMatchObject({ phase: 'night', round: 2, dead: { [bo]: 'citizen' } })
  })

  it('ends the game when the last of the mafia goes, or when it comes to parity', () => {
    const { day, good, bad } = firstDay()
    const [first = '', last = ''] = bad
    const won = leaves(leaves(day, first)?.state ?? day, last)?.state ?? day
    expect(runner.everyone(won)).toMatchObject({ phase: 'over', winner: 'citizen', endsAt: null })
    const lost = good.slice(0, 4).reduce((state, p) => leaves(state, p)?.state ?? state, day)
    expect(runner.everyone(lost)).toMatchObject({ phase: 'over', winner: 'mafia', endsAt: null })
  })

  it('is not dropping: who drops stays in the town', () => {
    for (const type of ['player.dropped', 'player.returned'])
      expect(runner.step(begin(5), { type, by: 'p0', at: 1, seed: 1 })).toBeNull()
  })
})

describe('mafia: the end', () => {
  it('shows the mafia to all, no votes and no deadline, and names the winners', () => {
    const night = begin(5)
    const [bad = ''] = mafiaOf(night, 5)
    const day = fire(night, NIGHT_MS).state
    const over = all(
      day,
      names(5).map((p) => [p, bad] as const),
    )
    expect(events(over)).toEqual([
      { type: 'death', player: bad, role: 'mafia', cause: 'vote' },
      { type: 'end', winner: 'citizen' },
    ])
    expect(runner.done(over.state)).toBe(true)
    expect(over.state.deadlines).toEqual([])
    expect(runner.everyone(over.state)).toMatchObject({ phase: 'over', winner: 'citizen', endsAt: null })
    for (const viewer of [...names(5), null])
      expect(runner.only(over.state, viewer)).toMatchObject({ mafia: [bad], votes: null })
    expect(runner.result(over.state)).toEqual({ winner: 'citizen', winners: names(5).filter((p) => p !== bad) })
    for (const viewer of [...names(5), null])
      expect(runner.media(over.state, viewer)).toEqual({ see: 'all', hear: 'all' })
    expect(leaves(over.state, 'p0')).toBeNull()
  })

  it('always comes, whatever legal moves bots make and whoever leaves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 12 }), fc.integer(), fc.infiniteStream(fc.nat()), (n, seed, chance) => {
        const draw = (below: number) => (chance.next().value ?? 0) % below
        let state = begin(n, seed >>> 0)
        let phases = 0
        for (let turn = 0; !runner.done(state); turn++) {
          if (turn > 4_000) throw new Error('it never ends')
          const player = `p${draw(n)}`
          const moves = runner.legal(state, player) ?? []
          const { alive, dead } = runner.everyone(state)
          expect([...(alive as string[]), ...Object.keys(Object(dead))].toSorted()).toEqual(names(n).toSorted())
          const kind = draw(20)
          const move = moves[draw(moves.length || 1)]
          if (kind === 0) phases += 1
          if (kind === 0) state = fire(state, phases * 500_000).state
          else if (kind === 1 && draw(5) === 0) state = leaves(state, player)?.state ?? state
          else if (move !== undefined) {
            const next = runner.step(state, { ...move, by: player, at: phases * 500_000, seed: turn })
            if (next === null) throw new Error(`legal lists a move that is refused: ${JSON.stringify(move)}`)
            state = next.state
          }
        }
        const { winner, alive } = runner.everyone(state)
        const bad = mafiaOf(state, n).filter((p) => Object.values(Object(alive)).includes(p)).length
        expect(winner).toBe(bad === 0 ? 'citizen' : 'mafia')
      }),
      { numRuns: 60 },
    )
  })
})

describe('mafia: what is private', () => {
  it('lets the mafia know itself and its votes by night, and tells nobody else', () => {
    const night = begin(8)
    const bad = mafiaOf(night, 8)
    const [one = ''] = bad
    const victim = names(8).find((p) => !bad.includes(p)) ?? ''
    const voted = all(night, [[one, victim]]).state
    for (const p of bad) expect(runner.only(voted, p)).toEqual({ role: 'mafia', mafia: bad, votes: { [one]: victim } })
    for (const p of names(8).filter((p) => !bad.includes(p)))
      expect(runner.only(voted, p)).toEqual({ role: 'citizen', mafia: null, votes: null })
    expect(runner.only(voted, null)).toEqual({ role: null, mafia: null, votes: null })
    for (const p of bad) expect(runner.media(voted, p)).toEqual({ see: bad, hear: bad })
    expect(runner.media(voted, victim)).toEqual({ see: 'none', hear: 'none' })
    expect(runner.media(voted, null)).toEqual({ see: 'none', hear: 'none' })
  })

  it('by day all see all and hear the living; the dead watch, also by night, and are not heard', () => {
    const { day, good, bad } = firstDay()
    const [ann = ''] = good
    const living = names(8).filter((p) => p !== ann)
    expect(runner.media(day, ann)).toEqual({ see: 'all', hear: names(8) })
    const night = all(
      day,
      [...good, ...bad].map((p) => [p, ann] as const),
    ).state
    expect(runner.media(night, ann)).toEqual({ see: 'all', hear: living })
    for (const viewer of [...living, null]) expect(runner.media(night, viewer).hear).not.toContain(ann)
    const next = fire(night, 500_000).state
    for (const viewer of [...names(8), null]) expect(runner.media(next, viewer)).toEqual({ see: 'all', hear: living })
  })

  it('shows a citizen and the audience the same night, whoever the mafia is and however it votes', () => {
    const ballots = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 6 })
    const seed = fc.nat({ max: 0xffffffff })
    let compared = 0
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 12 }), seed, seed, ballots, ballots, (n, seedA, seedB, votesA, votesB) => {
        // The last of the mafia stays silent, so that the night goes on.
        const world = (seed: number, cast: readonly (readonly [number, number])[]) => {
          const night = begin(n, seed)
          const bad = mafiaOf(night, n)
          const good = names(n).filter((p) => !bad.includes(p))
          const voters = bad.slice(1)
          const ballot = ([by, target]: readonly [number, number]) =>
            [voters[by % voters.length] ?? '', good[target % good.length] ?? ''] as const
          return { good, ...all(night, cast.map(ballot)) }
        }
        const [a, b] = [world(seedA, votesA), world(seedB, votesB)]
        for (const viewer of [...a.good.filter((p) => b.good.includes(p)), null]) {
          const seen = ({ state, emits }: Stepped) => ({
            ...runner.everyone(state),
            ...runner.only(state, viewer),
            media: runner.media(state, viewer),
            legal: viewer === null ? null : runner.legal(state, viewer),
            why: runner.explain(state, { type: 'vote', by: viewer ?? 'x', payload: { target: 'p0' } }),
            emits: emits.filter(({ to }) => to === null || to.includes(viewer ?? '')),
          })
          expect(seen(a)).toEqual(seen(b))
          compared += 1
        }
      }),
      { numRuns: 100 },
    )
    expect(compared).toBeGreaterThan(200)
  })

  it('keeps players apart whose ids are names of JavaScript', () => {
    const players = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']
    const { state } = runner.start({ players, options: runner.parseOptions({}), at: 0, seed: 1 })
    const day = fire(state, NIGHT_MS).state
    const voted = all(
      day,
      players.slice(1).map((p) => [p, 'constructor'] as const),
    ).state
    expect(runner.everyone(voted).phase).toBe('day')
    expect(Object.entries(Object(runner.only(voted, null).votes))).toHaveLength(4)
    expect(runner.everyone(all(voted, [['constructor', 'toString']]).state).alive).toEqual(players.slice(1))
  })
})
