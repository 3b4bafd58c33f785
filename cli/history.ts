import { z } from 'zod'
import { roomHistory } from '../engine/partition/history.ts'
import { DamagedRoom } from '../engine/room/chain.ts'
import type { RoomInput } from '../engine/room/input.ts'
import { Moment } from '../engine/room/moment.ts'
import { ROOM_ID } from '../protocol/frames.ts'
import { type Command, flag, parseFlags, usageError } from './flags.ts'
import { print } from './print.ts'
import { openStored, STORED_FLAGS, type StoredFlags } from './stored.ts'

const LOG = {
  usage: 'log ROOM',
  about: 'The events of a room, oldest first: when, what, who, and what was sent with it.',
  operands: ['ROOM'],
  flags: z.object(STORED_FLAGS),
} satisfies Command

const REPLAY = {
  usage: 'replay ROOM',
  about: 'The document of a room at any moment, as any viewer saw it, replayed from its log.',
  operands: ['ROOM'],
  flags: z.object({
    ...STORED_FLAGS,
    at: flag(
      z
        .string()
        .regex(/^[1-9]\d{0,14}$/, 'a seq: a whole number from 1')
        .transform(Number)
        .optional(),
      { value: 'SEQ', otherwise: 'the last event', description: 'after how many events' },
    ),
    as: flag(z.string().optional(), {
      value: 'PLAYER',
      otherwise: 'a spectator',
      description: 'the id of the player who looks',
    }),
  }),
} satisfies Command

/** `madang log ROOM`. */
export const runLog = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const parsed = parseFlags(LOG, argv, env)
  if ('exit' in parsed) return print(parsed)
  const [room = ''] = parsed.operands
  return reading(room, parsed.values, async (events) => {
    let found = false
    for await (const { seq, input } of events) {
      found = true
      console.log(parsed.values.json ? JSON.stringify({ seq, ...input }) : line(seq, input))
    }
    return found ? null : nothing(room)
  })
}

/** `madang replay ROOM [--at SEQ] [--as PLAYER]`. */
export const runReplay = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const parsed = parseFlags(REPLAY, argv, env)
  if ('exit' in parsed) return print(parsed)
  const [room = ''] = parsed.operands
  const { at, as: viewer, json } = parsed.values
  return reading(room, parsed.values, async (events) => {
    let last = null
    for await (const event of events) {
      last = event
      if (event.seq === at) break
    }
    if (last === null) return nothing(room)
    if (at !== undefined && last.seq < at) return `room ${room} has ${last.seq} events: --at must be at most that.`
    if (viewer !== undefined && !Object.hasOwn(last.state.members, viewer))
      return `"${viewer}" is no player of room ${room} then. Its players: ${last.state.players.join(', ') || 'none'}.`
    const document = new Moment(last.state, [], last.game.runner, null).document(viewer ?? null)
    const seen = { room, seq: last.seq, at: last.input.at, as: viewer ?? null, document }
    console.log(JSON.stringify(seen, null, json ? 0 : 2))
    return null
  })
}

type Events = ReturnType<typeof roomHistory>

/** Runs over a room's history; prints what is wrong, and returns the exit code: 2 for bad input, 1 for a damaged log. */
const reading = async (
  room: string,
  flags: StoredFlags,
  run: (events: Events) => Promise<string | null>,
): Promise<number> => {
  if (!ROOM_ID.test(room)) return print(usageError(`"${room}" is no room id: 1 to 64 of A-Z a-z 0-9 _ -.`))
  const stored = await openStored(flags)
  if ('exit' in stored) return print(stored)
  try {
    const problem = await run(roomHistory(room, stored))
    return problem === null ? 0 : print(usageError(problem))
  } catch (error) {
    if (!(error instanceof DamagedRoom)) throw error
    process.stderr.write(`madang: ${error.message}\n`)
    return 1
  } finally {
    await stored.close()
  }
}

const nothing = (room: string): string => `there is no room ${room} in what was read: see --data and --nats.`

/** `   5  2026-01-01 12:00:00.000  move mark  by ann  {"cell":4}` */
const line = (seq: number, input: RoomInput): string => {
  const { type, at, seed: _seed, ...rest } = input
  const by = 'origin' in rest ? rest.origin?.by : 'by' in rest ? rest.by : undefined
  const what = 'move' in rest ? `${type} ${rest.move}` : type
  const { origin: _o, by: _b, move: _m, ...more } = { origin: null, by: null, move: null, ...rest }
  const details = 'payload' in more ? more.payload : more
  const shown = details === null || Object.keys(Object(details)).length === 0 ? '' : JSON.stringify(details)
  const time = new Date(at).toISOString().replace('T', ' ').replace('Z', '')
  return [String(seq).padStart(6), time, what, by === undefined ? '' : `by ${by}`, shown]
    .filter((s) => s !== '')
    .join('  ')
}
