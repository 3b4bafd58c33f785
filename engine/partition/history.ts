import type { RoomId } from '../../protocol/frames.ts'
import { type ChainedRecord, DamagedRoom, LOG_START } from '../room/chain.ts'
import type { RoomInput } from '../room/input.ts'
import { type Replayed, replayRecord } from '../room/replay.ts'
import type { RoomState } from '../room/state.ts'
import type { LoadedGame } from '../rules/game.ts'
import { readAll, type Sources } from './restore.ts'

/** One event of a room's past, with the rules that it was played under. */
export interface PastEvent extends Replayed {
  readonly seq: number
  readonly game: LoadedGame
}

/**
 * All events of a room from the first, each with the state after it: under the rules of its time, where a migration came
 * between. Yields nothing where there is no such room. Throws DamagedRoom at the first event that cannot be read.
 */
export async function* roomHistory(
  room: RoomId,
  sources: Pick<Sources, 'storage' | 'library' | 'keys'>,
): AsyncGenerator<PastEvent> {
  let state: RoomState | null = null
  for (const age of ages(await readAll(room, LOG_START, sources))) {
    const rules = age.at(-1)?.record.rules ?? ''
    const game = await sources.library.byHash(rules)
    if (game === null) throw new DamagedRoom(room, `it was played under rules ${rules}, whose source is gone`)
    for (const chained of age) {
      let { first: seq } = chained.record
      for (const replayed of replayRecord(state, chained, game.runner, sources.keys)) {
        state = replayed.state
        yield { ...replayed, seq, game }
        seq += 1
      }
    }
  }
}

/** The records between migrations: within them one set of rules holds, that of the last record. */
const ages = (records: readonly ChainedRecord[]): ChainedRecord[][] => {
  const list: ChainedRecord[][] = [[]]
  for (const chained of records) {
    const [input] = chained.record.inputs as readonly RoomInput[]
    if (input?.type === 'room.migrated') list.push([])
    list.at(-1)?.push(chained)
  }
  return list.filter((age) => age.length > 0)
}
