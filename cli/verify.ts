import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { NotStored, StorageError } from '../engine/log/log.ts'
import { roomHistory } from '../engine/partition/history.ts'
import { restoreRoom } from '../engine/partition/restore.ts'
import { DamagedRoom } from '../engine/room/chain.ts'
import { plainState } from '../engine/room/plain.ts'
import { RulesError } from '../engine/rules/game.ts'
import { type Command, flag, parseFlags } from './flags.ts'
import { print } from './print.ts'
import { openStored, STORED_FLAGS, type Stored } from './stored.ts'

const VERIFY = {
  usage: 'verify',
  about:
    'Replays every stored room from its first event, compares with its snapshot, and says what the present rules would do with it. Exit code 1 on a finding.',
  operands: [],
  flags: z.object({
    ...STORED_FLAGS,
    game: flag(z.string().optional(), { value: 'ID', otherwise: 'all games', description: 'only rooms of this game' }),
  }),
} satisfies Command

/** What became of one room. */
type Verdict = {
  room: string
  game: string | null
  seq: number
  /** `same`: the present rules are the room's; `carried`: they replay or migrate it; `kept`: it stays on its old ones. */
  rules: 'same' | 'carried' | 'kept' | null
  problem: string | null
}

const PAGE = 500

/** `madang verify [--game ID]`. */
export const runVerify = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const parsed = parseFlags(VERIFY, argv, env)
  if ('exit' in parsed) return print(parsed)
  const { json, game } = parsed.values
  const stored = await openStored(parsed.values)
  if ('exit' in stored) return print(stored)
  let rooms = 0
  let events = 0
  let problems = 0
  try {
    for await (const room of allRooms(stored)) {
      const verdict = await verify(room, stored)
      if (game !== undefined && verdict.game !== game && verdict.game !== null) continue
      rooms += 1
      events += verdict.seq
      if (verdict.problem !== null) problems += 1
      if (json) console.log(JSON.stringify(verdict))
      else if (verdict.problem !== null) console.log(`${verdict.problem}`)
      else if (verdict.rules === 'kept') console.log(`room ${room}: ${keptBecause(verdict.game, stored)}`)
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    process.stderr.write(`madang: ${error.message}\n`)
    return 1
  } finally {
    await stored.close()
  }
  const found = problems === 0 ? 'all replay to what is stored' : `${problems} with a finding`
  if (json) console.log(JSON.stringify({ rooms, events, problems }))
  else console.log(`${rooms} ${rooms === 1 ? 'room' : 'rooms'}, ${events} events: ${found}.`)
  return problems === 0 ? 0 : 1
}

/** Why a room stays on its rules, where its log replays. */
const keptBecause = (game: string | null, { library }: Stored): string =>
  game !== null && library.current(game) === undefined
    ? `its game "${game}" is in none of the --games: replayed under the rules that its log keeps`
    : 'stays on the rules it was played under'

async function* allRooms({ storage }: Stored): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const page = await storage.rooms(after, PAGE)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    after = last
  }
}

const verify = async (room: string, stored: Stored): Promise<Verdict> => {
  let seq = 0
  let game: string | null = (await stored.storage.index(room))?.game ?? null
  try {
    let last = null
    for await (const event of roomHistory(room, stored)) {
      last = event
      seq = event.seq
    }
    const restored = await restoreRoom(room, stored)
    if (last === null || restored === null)
      return { room, game, seq, rules: null, problem: `room ${room}: its log holds no events` }
    game = last.state.game
    const { hash, runner } = last.game
    const rules =
      restored.game.hash !== hash ? 'carried' : stored.library.current(game)?.hash === hash ? 'same' : 'kept'
    const alike =
      // Played on meanwhile.
      rules !== 'same' ||
      restored.state.seq > seq ||
      isDeepStrictEqual(plainState(last.state, runner), plainState(restored.state, runner))
    const problem = alike ? restored.warning : `room ${room}: its snapshot is not what its log replays to`
    return { room, game, seq, rules, problem }
  } catch (error) {
    if (error instanceof DamagedRoom) return { room, game, seq, rules: null, problem: error.message }
    if (error instanceof RulesError || error instanceof NotStored)
      return { room, game, seq, rules: null, problem: `room ${room}: ${error.message}` }
    throw error
  }
}
