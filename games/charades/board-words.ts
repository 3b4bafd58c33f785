import type { Settled, TeamName } from './stage.ts'

const teamEn: Record<TeamName, string> = { sun: 'the Sun team', moon: 'the Moon team' }
const teamKo: Record<TeamName, string> = { sun: '해 팀', moon: '달 팀' }

const outcomeEn: Record<Settled['outcome'], (name: string) => string> = {
  guessed: (name) => `guessed by ${name}`,
  skipped: () => 'skipped',
  missed: () => 'not guessed',
}

const en = {
  you: 'you',
  somebody: 'Somebody',
  team: { sun: 'Sun', moon: 'Moon' } as Record<TeamName, string>,
  teamInSentence: teamEn,
  teamAtSeat: { sun: 'Sun team', moon: 'Moon team' } as Record<TeamName, string>,
  scores: 'Scores',
  yours: 'your team',
  turn: (turn: number, turns: number) => `Turn ${turn} of ${turns}`,
  timeLeft: 'Time left',
  over: 'The end',

  performsNext: (name: string) => `${name} is next`,
  performs: (name: string) => `${name} performs`,
  youAreNext: 'You are next',
  youPerform: 'You perform',
  atSeat: { ready: 'next', acting: 'acts' },

  task: {
    ready: {
      performer: 'Begin, and you get a word to show without a sound.',
      guesser: (name: string) => `Get ready to guess what ${name} shows.`,
      rival: (name: string) => `${name}’s team guesses. You will see the word.`,
      watcher: (name: string, team: TeamName) => `${name} performs for ${teamEn[team]}.`,
    },
    acting: {
      performer: 'Show it. Nobody hears you.',
      guesser: (name: string) => `What does ${name} show?`,
      rival: 'Give nothing away. Only your team hears you.',
      watcher: (_name: string, team: TeamName) => `Now ${teamEn[team]} guesses.`,
    },
  },
  begin: 'Begin',
  beginsAlone: 'It begins by itself when the time is up.',
  skip: 'Skip this word',
  guess: 'Guess',
  guessLabel: 'Your guess',
  word: 'The word',
  seenBy: {
    performer: (rivals: TeamName) => `Only you and ${teamEn[rivals]} see this.`,
    rival: (name: string) => `Only your team and ${name} see this.`,
    others: (name: string, rivals: TeamName) => `Only ${name} and ${teamEn[rivals]} see the word.`,
  },
  guesses: 'Guesses of this turn',
  right: 'right',
  notIt: (text: string, name: string | null) => `Not “${text}”${name === null ? '' : `, ${name}`}.`,
  words: { ready: 'The turn before', over: 'The last turn' },
  outcome: outcomeEn,

  turnOf: (name: string, team: TeamName) => `${name} performs for ${teamEn[team]}.`,
  begins: (name: string) => `${name} begins.`,
  guessed: (name: string, word: string) => `${name} guessed “${word}”.`,
  skipped: (word: string) => `Skipped: “${word}”.`,
  missed: (word: string) => `Not guessed: “${word}”.`,
  won: { sun: 'The Sun team won.', moon: 'The Moon team won.', draw: 'A draw.' } as Record<TeamName | 'draw', string>,
  youWon: 'Your team won!',
  youLost: 'Your team lost.',
  gaveUp: { sun: 'Too few are left of the Sun team.', moon: 'Too few are left of the Moon team.' } as Record<
    TeamName,
    string
  >,
}

const ko: typeof en = {
  you: '나',
  somebody: '누군가',
  team: { sun: '해', moon: '달' },
  teamInSentence: teamKo,
  teamAtSeat: { sun: '해 팀', moon: '달 팀' },
  scores: '점수',
  yours: '우리 팀',
  turn: (turn, turns) => `${turns}번 중 ${turn}번째 차례`,
  timeLeft: '남은 시간',
  over: '끝',

  performsNext: (name) => `다음은 ${name} 님`,
  performs: (name) => `${name} 님이 몸으로 말해요`,
  youAreNext: '다음은 나예요',
  youPerform: '내가 몸으로 말해요',
  atSeat: { ready: '다음', acting: '몸짓 중' },

  task: {
    ready: {
      performer: '시작하면 낱말이 나와요. 소리 없이 보여 주세요.',
      guesser: (name) => `${name} 님의 몸짓을 맞힐 준비를 해요.`,
      rival: (name) => `${name} 님 팀이 맞혀요. 우리 팀은 낱말을 볼 수 있어요.`,
      watcher: (name, team) => `${teamKo[team]} ${name} 님 차례예요.`,
    },
    acting: {
      performer: '몸으로 보여 주세요. 내 소리는 아무도 못 들어요.',
      guesser: (name) => `${name} 님이 보여 주는 건 무엇일까요?`,
      rival: '힌트를 주지 마세요. 내 소리는 우리 팀만 들어요.',
      watcher: (_name, team) => `지금은 ${teamKo[team]}이 맞혀요.`,
    },
  },
  begin: '시작',
  beginsAlone: '시간이 다 되면 저절로 시작해요.',
  skip: '이 낱말 넘기기',
  guess: '맞히기',
  guessLabel: '무엇일까요?',
  word: '낱말',
  seenBy: {
    performer: (rivals) => `나와 ${teamKo[rivals]}에게만 보여요.`,
    rival: (name) => `우리 팀과 ${name} 님에게만 보여요.`,
    others: (name, rivals) => `낱말은 ${name} 님과 ${teamKo[rivals]}에게만 보여요.`,
  },
  guesses: '이번 차례에 나온 답',
  right: '정답',
  notIt: (text, name) => `${name === null ? '' : `${name} 님: `}‘${text}’, 아니에요.`,
  words: { ready: '지난 차례', over: '마지막 차례' },
  outcome: {
    guessed: (name) => `${name} 님이 맞힘`,
    skipped: () => '넘김',
    missed: () => '못 맞힘',
  },

  turnOf: (name, team) => `${teamKo[team]} ${name} 님 차례예요.`,
  begins: (name) => `${name} 님이 시작했어요.`,
  guessed: (name, word) => `${name} 님이 맞혔어요: ${word}`,
  skipped: (word) => `넘긴 낱말: ${word}`,
  missed: (word) => `못 맞힌 낱말: ${word}`,
  won: { sun: '해 팀이 이겼어요.', moon: '달 팀이 이겼어요.', draw: '비겼어요.' },
  youWon: '우리 팀이 이겼어요!',
  youLost: '우리 팀이 졌어요.',
  gaveUp: { sun: '해 팀에 남은 사람이 모자라요.', moon: '달 팀에 남은 사람이 모자라요.' },
}

/** What the board says, by language. */
export const boardWords = { en, ko }
export type BoardWords = typeof en
