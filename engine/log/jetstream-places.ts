import { PARTITIONS, partitionOf } from '../../bus/subjects.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { IndexFilter } from './index-filter.ts'
import { type IndexRow, type RoomStatus, StorageError } from './log.ts'

/** A subject and the stream that keeps it. */
export interface Place {
  readonly stream: string
  readonly subject: string
}

/** The names of an installation's streams and subjects. KV buckets are streams by NATS's own convention, so that its tools read them. */
export class JetStreamPlaces {
  /** How many streams the partitions are spread over. */
  readonly streams: number
  readonly #prefix: string

  /** `prefix` keeps installations on one NATS apart; '': none. Throws StorageError where it is no name. */
  constructor(prefix: string, streams: number) {
    if (!/^[\w-]*$/.test(prefix))
      throw new StorageError(`the prefix ${JSON.stringify(prefix)} may hold letters, digits, _ and - only`)
    this.#prefix = prefix
    this.streams = streams
  }

  get eventStreams(): string[] {
    return Array.from({ length: this.streams }, (_, index) => this.#eventStream(index))
  }
  get snapshotStream(): string {
    return this.#named('SNAP')
  }

  /** Of all rooms that a stream of events holds. */
  eventSubjects(index: number): string[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => partition)
      .filter((partition) => partition % this.streams === index)
      .map((partition) => `${this.#under('ev')}.${partition}.>`)
  }
  events(room: RoomId): Place {
    const partition = partitionOf(room)
    return {
      stream: this.#eventStream(partition % this.streams),
      subject: `${this.#under('ev')}.${partition}.${room}`,
    }
  }
  snapshot(room: RoomId): Place {
    return { stream: this.snapshotStream, subject: `${this.#under('snap')}.${room}` }
  }

  bucket(name: Bucket): string {
    return this.#named(name)
  }
  /** Where a room's row stands while it has this status. */
  row({ room, status, public: open }: Pick<IndexRow, 'room' | 'status' | 'public'>): Place {
    return this.#key('rooms', `${partitionOf(room)}.${standing(status)}.${listed(open)}.${room}`)
  }
  /** Its rows: the last one counts. */
  rowsOf(room: RoomId): Place {
    return this.#key('rooms', `${partitionOf(room)}.*.*.${room}`)
  }
  /** The rows that the filter may let through, of one partition or all. */
  rows({ status, public: open }: IndexFilter, partition?: number): Place {
    const state = status === undefined || status === 'over' ? '*' : standing(status)
    return this.#key('rooms', `${partition ?? '*'}.${state}.${open === undefined ? '*' : listed(open)}.*`)
  }
  rules(hash: string): Place {
    return this.#key('rules', encoded(hash))
  }
  playerKey(player: PlayerId): Place {
    return this.#key('players', encoded(player))
  }
  /** What the installation has one of. */
  one(name: 'settings' | 'epoch' | 'guests' | 'cluster'): Place {
    return this.#key('installation', name)
  }

  #eventStream(index: number): string {
    return this.#named(`EV_${index}`)
  }
  #named(name: string): string {
    return this.#prefix === '' ? name : `${this.#prefix}_${name}`
  }
  #under(subject: string): string {
    return this.#prefix === '' ? subject : `${this.#prefix}.${subject}`
  }
  #key(bucket: Bucket, key: string): Place {
    const name = this.bucket(bucket)
    return { stream: `KV_${name}`, subject: `$KV.${name}.${key}` }
  }
}

export type Bucket = 'rooms' | 'rules' | 'players' | 'installation'
/** Beside the one that is made first. */
export const BUCKETS: readonly Bucket[] = ['rooms', 'rules', 'players']

/** Rooms that are over stand apart: they are the most by far, and nobody who takes rooms over reads them. */
const standing = (status: RoomStatus | 'unfinished'): string => (status === 'over' ? 'over' : 'on')
const listed = (open: boolean): string => (open ? 'public' : 'private')

/** A key may not hold every character of a player's id. */
const encoded = (text: string): string => Buffer.from(text).toString('base64url')
