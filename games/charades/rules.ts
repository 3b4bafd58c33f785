import { and, assign, emit, setup } from 'xstate'
import { z } from 'zod'
import { deadline, defineGame, gameType, type PlayerId, pick, shuffle } from '../../engine/rules/rules.ts'
import { DECK } from './deck.ts'
import {
  guessersOf,
  passed,
  performerOf,
  rivalsOf,
  type Settled,
  type Stage,
  type TeamName,
  teamOn,
  teamsOf,
  tooFew,
  winnerOf,
  without,
} from './stage.ts'
import { GUESS_CHARACTERS, means, nameOf, type Word, type WordName } from './word.ts'

type Announcement =
  | { type: 'turn'; performer: PlayerId | null; team: TeamName; turn: number }
  | { type: 'guessed'; by: PlayerId; word: WordName }
  | { type: 'skipped' | 'missed'; word: WordName }
  | { type: 'end'; winner: TeamName | 'draw' }

/** Guesses and words of a turn that are kept. */
const KEPT = 12

const g = gameType<Stage>()({
  id: 'charades',
  version: 1,
  title: { en: 'Charades', ko: '몸으로 말해요' },
  players: [4, 12],
  moves: {
    begin: z.object({}),
    guess: z.object({ text: z.string().trim().min(1).max(GUESS_CHARACTERS) }),
    skip: z.object({}),
  },
  options: z.object({
    turn: z.number().positive().max(600).default(60),
    ready: z.number().positive().max(120).default(15),
    rounds: z.int().min(1).max(12).default(3),
  }),
  // A guess is not `personal`, though somebody wrote it: whether it is right decides the score and the next word. With the
  // text forgotten, the log would replay to another game than the one that was played. So a guess is short, an answer
  // and no talk: for talk there is the chat, which is in no log.
  emits: {} as Announcement,
})

/** The next word; of a deck that is used up, all come again but the last one. In a step only. */
const drawn = (rest: readonly Word[], last?: Word): Pick<Stage, 'word' | 'deck'> => {
  const [word = pick(DECK), ...deck] = rest.length > 0 ? rest : shuffle(DECK.filter(({ en }) => en !== last?.en))
  return { word, deck }
}

/** What became of the word, and the next one. In a step only. */
const settled = ({ words, word, deck }: Stage, outcome: Settled['outcome'], by: PlayerId | null) => ({
  words: [...words, { word: nameOf(word), outcome, by }].slice(-KEPT),
  ...drawn(deck, word),
})

const machine = setup({
  types: g.types,
  delays: {
    ready: ({ context }) => context.seconds.ready * 1000,
    turn: ({ context }) => context.seconds.turn * 1000,
  },
  guards: {
    performs: ({ context, event }) => performerOf(context) === event.by,
    guesses: g.when('guess', ({ context, by }) => guessersOf(context).includes(by)),
    isRight: g.when('guess', ({ context, payload }) => means(payload.text, context.word)),
    tooFew: ({ context }) => tooFew(context) !== null,
    isOver: ({ context }) => tooFew(context) !== null || context.turn > context.turns,
  },
  actions: {
    tellTurn: emit(
      ({ context }): Announcement => ({
        type: 'turn',
        performer: performerOf(context),
        team: teamOn(context),
        turn: context.turn,
      }),
    ),
    clear: assign({ guesses: [], words: [] }),
    tellGuessed: emit(
      ({ context, event }): Announcement => ({ type: 'guessed', by: event.by, word: nameOf(context.word) }),
    ),
    noteGuess: g.change('guess', ({ context, by, payload: { text } }) => ({
      guesses: [...context.guesses, { by, text, right: means(text, context.word) }].slice(-KEPT),
    })),
    score: g.change('guess', ({ context, by }) => {
      const team = teamOn(context)
      return {
        scores: { ...context.scores, [team]: context.scores[team] + 1 },
        ...settled(context, 'guessed', by),
      }
    }),
    tellSkipped: emit(({ context }): Announcement => ({ type: 'skipped', word: nameOf(context.word) })),
    skip: g.change('skip', ({ context }) => settled(context, 'skipped', null)),
    tellMissed: emit(({ context }): Announcement => ({ type: 'missed', word: nameOf(context.word) })),
    miss: assign(({ context }) => settled(context, 'missed', null)),
    pass: assign(({ context }) => passed(context)),
    leave: g.change('player.left', ({ context, by }) => without(context, by)),
    conclude: assign({ winner: ({ context }) => winnerOf(context) }),
    tellEnd: emit(({ context }): Announcement => ({ type: 'end', winner: context.winner ?? 'draw' })),
  },
}).createMachine({
  id: 'charades',
  initial: 'next',
  context: ({ input: { players, options } }) => ({
    teams: teamsOf(shuffle(players)),
    turn: 1,
    turns: options.rounds * 2,
    ...drawn(shuffle(DECK)),
    scores: { sun: 0, moon: 0 },
    guesses: [],
    words: [],
    winner: null,
    seconds: { ready: options.ready, turn: options.turn },
  }),
  states: {
    next: { always: [{ guard: 'isOver', target: 'over' }, { target: 'ready' }] },
    // Dropping changes nothing, here and below: who drops is mostly back within seconds, and the clock bounds the wait.
    ready: {
      entry: 'tellTurn',
      after: { ready: 'acting' },
      always: { guard: 'tooFew', target: 'over' },
      on: {
        begin: { guard: 'performs', target: 'acting' },
        'player.left': [{ guard: 'performs', target: 'next', actions: 'leave' }, { actions: 'leave' }],
      },
    },
    acting: {
      entry: 'clear',
      exit: ['tellMissed', 'miss'],
      after: { turn: { target: 'next', actions: 'pass' } },
      always: { guard: 'tooFew', target: 'over' },
      on: {
        guess: [
          { guard: and(['guesses', 'isRight']), actions: ['tellGuessed', 'noteGuess', 'score'] },
          { guard: 'guesses', actions: 'noteGuess' },
        ],
        skip: { guard: 'performs', actions: ['tellSkipped', 'skip'] },
        // The next of the team takes the turn over from its start: nobody is punished for another's leaving.
        'player.left': [{ guard: 'performs', target: 'next', actions: 'leave' }, { actions: 'leave' }],
      },
    },
    over: { type: 'final', entry: ['conclude', 'tellEnd'] },
  },
})

/** What a bot may guess: any word, as it cannot see. */
const GUESSES = DECK.map(({ en }) => ({ type: 'guess' as const, payload: { text: en } }))

const isPerformer = (stage: Stage, member: PlayerId | null): boolean => member !== null && performerOf(stage) === member
const isGuesser = (stage: Stage, member: PlayerId | null): boolean =>
  member !== null && guessersOf(stage).includes(member)
const isRival = (stage: Stage, member: PlayerId | null): boolean => member !== null && rivalsOf(stage).includes(member)

export default defineGame(g, machine, {
  everyone: (s) => {
    const { teams, turn, turns, scores, guesses, words, winner } = s.context
    const isOver = s.matches('over')
    return {
      phase: isOver ? ('over' as const) : s.matches('acting') ? ('acting' as const) : ('ready' as const),
      turn: Math.min(turn, turns),
      turns,
      team: isOver ? null : teamOn(s.context),
      // Null while nobody is acting: whoever is named here is muted now.
      performer: s.matches('acting') ? performerOf(s.context) : null,
      next: s.matches('ready') ? performerOf(s.context) : null,
      teams,
      scores,
      endsAt: deadline(s, 'ready') ?? deadline(s, 'turn'),
      guesses,
      words,
      winner,
    }
  },
  only: (s, viewer) => {
    const knows = isPerformer(s.context, viewer) || isRival(s.context, viewer)
    return { word: s.matches('acting') && knows ? nameOf(s.context.word) : null }
  },
  media: (s, viewer) => {
    if (!s.matches('acting')) return { see: 'all', hear: 'all' }
    const guessers = guessersOf(s.context)
    // Those who know the word are heard by no guesser.
    return {
      see: 'all',
      hear: isRival(s.context, viewer) ? [...guessers, ...rivalsOf(s.context)] : guessers,
    }
  },
  chat: {
    players: {
      from: (s, member) => member !== null && (!s.matches('acting') || isGuesser(s.context, member)),
      to: () => true,
    },
    // To its own team the one that watches may write.
    sun: {
      from: (s, member) => s.matches('acting') && teamOn(s.context) === 'moon' && isRival(s.context, member),
      to: (s, viewer) => viewer !== null && s.context.teams.sun.includes(viewer),
    },
    moon: {
      from: (s, member) => s.matches('acting') && teamOn(s.context) === 'sun' && isRival(s.context, member),
      to: (s, viewer) => viewer !== null && s.context.teams.moon.includes(viewer),
    },
  },
  legal: (s, player) => {
    if (s.matches('ready') && isPerformer(s.context, player)) return [{ type: 'begin', payload: {} }]
    if (!s.matches('acting')) return []
    if (isPerformer(s.context, player)) return [{ type: 'skip', payload: {} }]
    return isGuesser(s.context, player) ? GUESSES : []
  },
  explain: (s, { type, by }) => {
    if (s.matches('over')) return { en: 'The game is over.', ko: '게임이 끝났어요.' }
    const performs = isPerformer(s.context, by)
    if (type === 'begin') {
      if (!performs) return { en: 'The performer begins.', ko: '몸으로 말할 사람이 시작해요.' }
      return s.matches('acting') ? { en: 'It has begun already.', ko: '이미 시작했어요.' } : null
    }
    if (s.matches('ready')) return { en: 'Wait until it begins.', ko: '시작할 때까지 기다려요.' }
    if (type === 'skip')
      return performs ? null : { en: 'Only the performer skips.', ko: '몸으로 말하는 사람만 넘겨요.' }
    if (performs) return { en: 'You know the word. Show it.', ko: '낱말을 이미 알아요. 몸으로 말해요.' }
    if (isRival(s.context, by)) return { en: 'The other team guesses now.', ko: '지금은 상대 팀이 맞힐 차례예요.' }
    return isGuesser(s.context, by) ? null : { en: 'You are in neither team.', ko: '어느 팀에도 없어요.' }
  },
  result: ({ context: { teams, scores, winner } }) => ({
    winner,
    winners: winner === 'sun' || winner === 'moon' ? teams[winner] : [],
    scores,
  }),
})
