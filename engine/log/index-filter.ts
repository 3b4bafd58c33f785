import { partitionOf } from '../../bus/subjects.ts'
import type { IndexRow, RoomIndex } from './log.ts'

export type IndexFilter = Parameters<RoomIndex['listIndex']>[0]

/** Whether the filter lets the row through. Pure. */
export const passes = (row: IndexRow, { status, game, public: open, partitions }: IndexFilter): boolean =>
  (status === undefined || (status === 'unfinished' ? row.status !== 'over' : row.status === status)) &&
  (game === undefined || row.game === game) &&
  (open === undefined || row.public === open) &&
  (partitions === undefined || partitions.has(partitionOf(row.room)))
