import type { EngineId } from '../../bus/messages.ts'

/** What a key of the ledger is about: the beats of an engine, or who owns a partition. */
export type LedgerKey =
  | { readonly of: 'engine'; readonly engine: EngineId }
  | { readonly of: 'partition'; readonly partition: number }

/** Under which an engine's beats stand. Pure. */
export const engineKey = (engine: EngineId): string => `engine.${engine}`

/** Whose value names a partition's owner. Pure. */
export const partitionKey = (partition: number): string => `partition.${partition}`

/** What a key is about; null where it is neither. Pure. */
export const readKey = (key: string): LedgerKey | null => {
  const dot = key.indexOf('.')
  const [kind, name] = [key.slice(0, dot), key.slice(dot + 1)]
  if (kind === 'engine') return { of: 'engine', engine: name }
  if (kind === 'partition') return { of: 'partition', partition: Number(name) }
  return null
}

/** Whom a partition's key names. */
export interface Named {
  /** '' where nobody has the partition. */
  readonly owner: EngineId | ''
  /** The engine that was counted dead, and from which it was taken; undefined where it was handed over, or nobody had it. */
  readonly takenFrom: EngineId | undefined
}

/** The value of a partition's key: `b` where b was given it, `b<a` where b took it from a. Pure. */
export const ownerValue = (owner: EngineId | '', takenFrom?: EngineId | ''): string =>
  takenFrom ? `${owner}<${takenFrom}` : owner

/** Whom the value of a partition's key names; null is that of a key that is gone. Pure. */
export const readOwner = (value: string | null): Named => {
  const [owner = '', takenFrom] = value?.split('<') ?? []
  return { owner, takenFrom }
}
