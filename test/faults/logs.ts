import { openStored, type Stored, type StoredFlags } from '../../cli/stored.ts'
import { StorageError } from '../../engine/log/log.ts'
import { roomHistory } from '../../engine/partition/history.ts'
import type { RoomInput } from '../../engine/room/input.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'

export type Logged = RoomInput & { readonly seq: Seq }

const RETRY_AFTER_MS = 5

/**
 * What is stored of these rooms, as `madang log` reads it: a process of its own for each would take minutes. Rejects where a log
 * cannot be read whole, and has not become readable within `patienceMs`.
 */
export const logsOf = async (
  flags: StoredFlags,
  rooms: ReadonlySet<RoomId>,
  patienceMs = 0,
): Promise<Map<RoomId, Logged[]>> => {
  const stored = await openStored(flags)
  if ('exit' in stored) throw new Error(stored.text)
  try {
    const logs = new Map<RoomId, Logged[]>()
    for (const room of rooms) logs.set(room, await logOf(room, stored, patienceMs))
    return logs
  } finally {
    await stored.close()
  }
}

const logOf = async (room: RoomId, stored: Stored, patienceMs: number): Promise<Logged[]> => {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      const log: Logged[] = []
      for await (const { seq, input } of roomHistory(room, stored)) log.push({ seq, ...input })
      return log
    } catch (error) {
      if (!(error instanceof StorageError) || performance.now() >= end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  }
}

/** The cell that a move of tictactoe marks; -1 where it is none. Pure. */
export const cellOf = ({ payload }: { payload?: unknown }): number =>
  typeof payload === 'object' && payload !== null && 'cell' in payload ? Number(payload.cell) : -1
