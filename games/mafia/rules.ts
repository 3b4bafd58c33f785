import { and, assign, emit, setup } from 'xstate'
import { z } from 'zod'
import { deadline, defineGame, gameType, type PlayerId, shuffle } from '../../engine/rules/rules.ts'
import { allVoted, condemned, isDead, livingMafia, mafiaCount, type Role, roleOf, type Town, without } from './town.ts'

type Announcement =
  | { type: 'death'; player: PlayerId; role: Role; cause: 'vote' | 'left' }
  | { type: 'spared' }
  | { type: 'end'; winner: Role | null }

const seconds = z.number().positive().max(3600)

const g = gameType<Town>()({
  id: 'mafia',
  version: 1,
  title: { en: 'Mafia', ko: '마피아' },
  players: [5, 12],
  moves: { vote: z.object({ target: z.string() }) },
  options: z.object({ night: seconds.default(30), day: seconds.default(120) }),
  emits: {} as Announcement,
})

const machine = setup({
  types: g.types,
  delays: {
    night: ({ context }) => context.seconds.night * 1000,
    day: ({ context }) => context.seconds.day * 1000,
  },
  guards: {
    living: g.when(
      'vote',
      ({ context: { alive }, by, payload }) => alive.includes(by) && alive.includes(payload.target),
    ),
    mafiaOnTown: g.when(
      'vote',
      ({ context: { mafia }, by, payload }) => mafia.includes(by) && !mafia.includes(payload.target),
    ),
    livedHere: g.when('player.left', ({ context: { alive }, by }) => alive.includes(by)),
    mafiaHasVoted: ({ context }) => allVoted(context, livingMafia(context)),
    allHaveVoted: ({ context }) => allVoted(context, context.alive),
    won: ({ context }) => context.winner !== null,
  },
  actions: {
    vote: g.change('vote', ({ context: { votes }, by, payload }) => ({ votes: { ...votes, [by]: payload.target } })),
    tellVerdict: emit(({ context }): Announcement => {
      const player = condemned(context)
      return player === null
        ? { type: 'spared' }
        : { type: 'death', player, role: roleOf(context, player), cause: 'vote' }
    }),
    execute: assign(({ context }) => {
      const player = condemned(context)
      return { ...(player === null ? {} : without(context, player)), votes: {} }
    }),
    tellLeft: emit(({ context, event }): Announcement => {
      const { by } = event
      return { type: 'death', player: by, role: roleOf(context, by), cause: 'left' }
    }),
    leave: g.change('player.left', ({ context, by }) => without(context, by)),
    nextRound: assign({ round: ({ context }) => context.round + 1 }),
    tellEnd: emit(({ context: { winner } }): Announcement => ({ type: 'end', winner })),
  },
}).createMachine({
  id: 'mafia',
  initial: 'night',
  context: ({ input: { players, options } }) => {
    const mafia = shuffle(players).slice(0, mafiaCount(players.length))
    return {
      players,
      // In the order of joining: the order of the draw means nothing.
      mafia: players.filter((player) => mafia.includes(player)),
      alive: players,
      dead: {},
      votes: {},
      round: 1,
      winner: null,
      seconds: options,
    }
  },
  on: { 'player.left': { guard: 'livedHere', actions: ['tellLeft', 'leave'] } },
  states: {
    night: {
      after: { night: 'dawn' },
      always: [
        { guard: 'won', target: 'over' },
        { guard: 'mafiaHasVoted', target: 'dawn' },
      ],
      on: { vote: { guard: and(['living', 'mafiaOnTown']), actions: 'vote' } },
    },
    dawn: {
      entry: ['tellVerdict', 'execute'],
      always: [{ guard: 'won', target: 'over' }, { target: 'day' }],
    },
    day: {
      after: { day: 'dusk' },
      always: [
        { guard: 'won', target: 'over' },
        { guard: 'allHaveVoted', target: 'dusk' },
      ],
      on: { vote: { guard: 'living', actions: 'vote' } },
    },
    dusk: {
      entry: ['tellVerdict', 'execute'],
      always: [
        { guard: 'won', target: 'over' },
        { target: 'night', actions: 'nextRound' },
      ],
    },
    over: { type: 'final', entry: ['tellEnd'] },
  },
})

export default defineGame(g, machine, {
  everyone: (s) => ({
    phase: s.matches('over') ? ('over' as const) : s.matches('day') ? ('day' as const) : ('night' as const),
    round: s.context.round,
    alive: s.context.alive,
    dead: s.context.dead,
    endsAt: deadline(s, 'night') ?? deadline(s, 'day'),
    winner: s.context.winner,
  }),
  only: (s, viewer) => {
    const { players, mafia, votes } = s.context
    const isMafia = viewer !== null && mafia.includes(viewer)
    return {
      role: viewer !== null && players.includes(viewer) ? roleOf(s.context, viewer) : null,
      mafia: isMafia || s.matches('over') ? mafia : null,
      votes: s.matches('day') || (isMafia && s.matches('night')) ? votes : null,
    }
  },
  media: (s, viewer) => {
    const { alive, mafia } = s.context
    if (s.matches('over')) return { see: 'all', hear: 'all' }
    if (isDead(s.context, viewer) || s.matches('day')) return { see: 'all', hear: alive }
    if (viewer === null || !mafia.includes(viewer)) return { see: 'none', hear: 'none' }
    return { see: livingMafia(s.context), hear: livingMafia(s.context) }
  },
  chat: {
    players: {
      from: (s, member) =>
        member !== null && (s.matches('over') || (s.matches('day') && s.context.alive.includes(member))),
      to: () => true,
    },
    mafia: {
      from: (s, member) => member !== null && s.matches('night') && livingMafia(s.context).includes(member),
      to: (s, viewer) => viewer !== null && livingMafia(s.context).includes(viewer),
    },
    dead: { from: (s, member) => isDead(s.context, member), to: (s, viewer) => isDead(s.context, viewer) },
  },
  legal: (s, player) => {
    const { alive, mafia } = s.context
    if (s.matches('over') || !alive.includes(player)) return []
    if (s.matches('night') && !mafia.includes(player)) return []
    const targets = s.matches('night') ? alive.filter((target) => !mafia.includes(target)) : alive
    return targets.map((target) => ({ type: 'vote', payload: { target } }))
  },
  explain: (s, { by, payload }) => {
    const { alive, mafia } = s.context
    if (s.matches('over')) return { en: 'The game is over.', ko: '게임이 끝났습니다.' }
    if (!alive.includes(by)) return { en: 'Only the living vote.', ko: '살아 있는 사람만 투표할 수 있습니다.' }
    if (s.matches('night') && !mafia.includes(by))
      return { en: 'By night only the mafia votes.', ko: '밤에는 마피아만 투표할 수 있습니다.' }
    if (!alive.includes(payload.target))
      return { en: 'Vote for somebody who is alive in the town.', ko: '마을에 살아 있는 사람에게 투표하세요.' }
    if (s.matches('night') && mafia.includes(payload.target))
      return { en: 'The mafia does not vote against its own.', ko: '마피아는 동료에게 투표할 수 없습니다.' }
    return null
  },
  result: ({ context: { players, mafia, winner } }) => ({
    winner,
    winners: players.filter((player) => mafia.includes(player) === (winner === 'mafia')),
  }),
})
