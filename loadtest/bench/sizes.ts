import { fileURLToPath } from 'node:url'
import type { RoomInput } from '../../engine/room/input.ts'
import { Moment } from '../../engine/room/moment.ts'
import type { RoomState } from '../../engine/room/state.ts'
import { step } from '../../engine/room/step.ts'
import type { Runner } from '../../engine/rules/game.ts'
import { loadGame } from '../../engine/rules/load.ts'
import type { PlayerId } from '../../protocol/frames.ts'
import { type Benchmark, fixed, median, sum, table } from './figures.ts'

const ROOM = 'k3v9q2k3v9q2k3v9q2k3v9q2k3'
const EVENTS = 400

interface Sample {
  readonly folder: string
  readonly players: number
  /** The next move where the game names no legal ones. */
  readonly move?: (turn: number, players: readonly PlayerId[]) => { by: PlayerId; type: string; payload: unknown }
}

const SAMPLES: readonly Sample[] = [
  { folder: '../../games/tictactoe', players: 2 },
  { folder: '../../games/mafia', players: 8 },
  {
    folder: '../games/bench',
    players: 8,
    move: (turn, players) => ({
      by: players[turn % players.length] ?? '',
      type: 'set',
      payload: { cell: (turn * 7) % 64, value: Math.imul(turn, 2_654_435_761) >>> 1 },
    }),
  },
]

/** Numbers that look like chance, the same in each run. */
const picker = (): ((below: number) => number) => {
  let last = 7
  return (below) => {
    last = (Math.imul(last, 1_103_515_245) + 12_345) >>> 0
    return (last >>> 8) % below
  }
}

/** The states of a game from its start, event by event: the moves that it calls legal by chance, and its deadlines. */
function* played({ players, move }: Sample, runner: Runner): Generator<RoomState> {
  const pick = picker()
  let at = 1_700_000_000_000
  const names = Array.from({ length: players }, (_, i) => `guest-${'abcdefghijklmnop'.slice(i, i + 8)}${i}`)
  let state: RoomState | null = null
  const take = (input: RoomInput): RoomState => {
    state = step(state, input, runner).state
    return state
  }
  const stamp = () => {
    at += 700
    return { at, seed: pick(2 ** 24) }
  }
  const origin = (by: string, ref: number) => ({ by, session: 'session-of-the-bench', ref, digest: ref })
  const options = runner.parseOptions(undefined)
  const setting = { game: runner.id, version: runner.version, options, public: false }
  take({ type: 'room.created', room: ROOM, by: names[0] ?? '', digest: 1, ...setting, ...stamp() })
  for (const by of names) take({ type: 'player.joined', by, name: by, origin: origin(by, 1), ...stamp() })
  let now = take({ type: 'room.started', origin: null, ...stamp() })
  yield now
  for (let turn = 0; turn < EVENTS && now.phase === 'playing' && now.rules !== null; turn++) {
    const { rules } = now
    const legal = names.flatMap((by) => (runner.legal(rules, by) ?? []).map((each) => ({ ...each, by })))
    const next = move?.(turn, names) ?? legal[pick(legal.length)]
    const [deadline] = rules.deadlines
    if (next !== undefined) {
      const { by, type, payload } = next
      now = take({ type: 'move', move: type, payload: payload ?? null, origin: origin(by, turn + 2), ...stamp() })
    } else if (deadline !== undefined) {
      at = Math.max(at, deadline.due)
      now = take({ type: 'deadline', id: deadline.id, ...stamp() })
    } else return
    yield now
  }
}

const measured = async (sample: Sample): Promise<string[]> => {
  const { runner } = await loadGame(fileURLToPath(new URL(sample.folder, import.meta.url)))
  const states: number[] = []
  const patches: number[] = []
  const json: number[] = []
  let wholes = 0
  let before: Moment | null = null
  for (const state of played(sample, runner)) {
    const moment: Moment = new Moment(state, [], runner, before)
    for (const viewer of [...state.players, null]) {
      states.push(moment.stateFrame(viewer, moment.seq).length)
      json.push(JSON.stringify(moment.document(viewer)).length)
      const change = before === null ? null : moment.changeFrame(before, viewer, before.seq)
      if (change === null) continue
      patches.push(change.length)
      if (change[0] !== 0x95) wholes += 1
    }
    before = moment
  }
  const mean = (list: readonly number[]) => sum(list) / list.length
  return [
    `\`${runner.id}\`, ${sample.players} players`,
    `${fixed(mean(states))} B`,
    fixed(mean(json) / mean(states), 2),
    `${fixed(mean(patches))} B`,
    `${fixed(median(patches))} B`,
    `${fixed(Math.max(...patches))} B`,
    `**${fixed((100 * mean(patches)) / mean(states))} %**`,
    `${fixed((100 * wholes) / patches.length)} %`,
  ]
}

export const sizes: Benchmark = {
  name: 'sizes',
  title: 'Sizes of STATE and PATCH',

  async run() {
    const rows = []
    for (const sample of SAMPLES) rows.push(await measured(sample))
    return [
      'Games played by chance through the pure rules (the same ones in each run, so these figures do not depend on the machine), all viewers and one ' +
        'spectator after each event that changed what they see. A change that would be longer as a PATCH goes as a STATE and is counted here with its length.',
      table(
        ['game', 'STATE, mean', 'as JSON', 'PATCH, mean', 'median', 'largest', 'PATCH / STATE', 'sent as STATE'],
        rows,
      ),
    ].join('\n\n')
  },
}
