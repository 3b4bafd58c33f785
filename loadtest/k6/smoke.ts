// Each virtual user is a pair of friends. They arrive as guests, are matched (not always with one another), play a whole
// tictactoe each, and go; then the next pair comes.
import execution from 'k6/execution'
import { Counter, Trend } from 'k6/metrics'
import { ERROR_CODES } from '../../protocol/errors.ts'
import { OP, type RoomDocument, type RoomId } from '../../protocol/frames.ts'
import { FAULTS, Failure, Session } from './session.ts'
import { type Summary, summaryOf } from './summary.ts'

/** Keeps a run of the most virtual users far below what k6 can measure and what the server lets one address send. */
const THINKING_MS = { least: 100, most: 300 }
/** Pairs come one after another: friends mostly meet one another, and nobody plays in step with all others. */
const ARRIVING_MS = { least: 0, most: 1_000 }

const { URL = '', VUS = '1', SECONDS = '1' } = __ENV

const joins = new Counter('joins')
const gamesFinished = new Counter('games_finished')
const errors = new Counter('errors')
const moveToAck = new Trend('move_to_ack', true)
const moveToSight = new Trend('move_to_sight', true)

/** k6 tells counts by tag only where a threshold asks for them. */
const perCode = [...ERROR_CODES, ...FAULTS].map((code) => [`errors{code:${code}}`, ['count==0']])

export const options = {
  scenarios: {
    smoke: { executor: 'constant-vus', vus: Number(VUS), duration: `${SECONDS}s`, gracefulStop: '40s' },
  },
  // A game takes longer; what fails at once is not tried again at once.
  minIterationDuration: '1s',
  thresholds: {
    joins: ['count>0'],
    games_finished: ['count>0'],
    // Without a single value, p(95) is 0 and max is not above it.
    move_to_ack: ['max>0', 'p(95)<100'],
    move_to_sight: ['max>0', 'p(95)<100'],
    errors: ['count==0'],
    ...Object.fromEntries(perCode),
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'],
}

export default async function pair(): Promise<void> {
  await pause(ARRIVING_MS)
  const sent = new Map<string, number>()
  await Promise.all([visit('Ann', sent), visit('Bob', sent)])
}

export const handleSummary = (summary: Summary): { stdout: string } => ({ stdout: summaryOf(summary) })

/** One guest from arrival to the end of a game. A failure is counted, not thrown. */
const visit = async (name: string, sent: Map<string, number>): Promise<void> => {
  try {
    const session = await Session.arrive(URL, name)
    await play(session, sent).finally(() => session.leave())
  } catch (error) {
    const code = error instanceof Failure ? error.code : 'internal'
    errors.add(1, { code })
    console.error(`${code}: ${error instanceof Error ? error.message : error}`)
  }
}

/** `sent`: when a friend's move left, by room and number of marks after it. A stranger's is not known here. */
const play = async (session: Session, sent: Map<string, number>): Promise<void> => {
  const room = await session.match('tictactoe')
  await session.join(room)
  joins.add(1)
  while (session.document.room.phase !== 'over') {
    if (boardOf(session.document).turn === session.player) {
      await pause(THINKING_MS)
      await move(session, room, sent)
    } else {
      await session.changed()
      const left = sent.get(`${room} ${boardOf(session.document).marks}`)
      if (left !== undefined) moveToSight.add(now() - left)
    }
  }
}

const move = async (session: Session, room: RoomId, sent: Map<string, number>): Promise<void> => {
  const { free, marks } = boardOf(session.document)
  const cell = free[Math.floor(Math.random() * free.length)]
  const left = now()
  sent.set(`${room} ${marks + 1}`, left)
  await session.ask((ref) => [OP.move, ref, room, 'mark', { cell }])
  moveToAck.add(now() - left)
  if (boardOf(session.document).marks <= marks)
    throw new Failure('not_shown', 'a move was acknowledged before its document came')
  if (session.document.room.phase === 'over') gamesFinished.add(1)
}

interface Board {
  /** Whose turn it is; null before and after the game. */
  turn: unknown
  marks: number
  free: number[]
}

/** What the rules of tictactoe show. Pure. Throws Failure where it is something else. */
const boardOf = ({ game }: RoomDocument): Board => {
  if (game === null) return { turn: null, marks: 0, free: [] }
  if (typeof game !== 'object' || !('cells' in game) || !Array.isArray(game.cells) || !('turn' in game))
    throw new Failure('malformed', 'the document of tictactoe has no cells or no turn')
  const cells: unknown[] = game.cells
  const free = cells.flatMap((owner, cell) => (owner === null ? [cell] : []))
  return { turn: game.turn, marks: cells.length - free.length, free }
}

const now = (): number => execution.instance.currentTestRunDuration
const pause = ({ least, most }: { least: number; most: number }): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)))
