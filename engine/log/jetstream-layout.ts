import { isDeepStrictEqual } from 'node:util'
import { DiscardPolicy, PersistMode, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { BUCKETS, type Bucket, type JetStreamPlaces } from './jetstream-places.ts'
import { StorageError } from './log.ts'

/** Nothing of a stream goes away by itself: it grows until the disk is full, and then refuses. */
const stream = (name: string, subjects: string[], replicas: number) => ({
  name,
  subjects,
  num_replicas: replicas,
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msg_size: -1,
  max_msgs_per_subject: -1,
  allow_direct: true,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
})
export type WantedStream = ReturnType<typeof stream>

export interface Layout {
  readonly places: JetStreamPlaces
  readonly replicas: number
}

/** The stream of a KV bucket. Pure. */
export const bucketStream = ({ places, replicas }: Layout, bucket: Bucket): WantedStream => {
  const name = places.bucket(bucket)
  return { ...stream(`KV_${name}`, [`$KV.${name}.>`], replicas), max_msgs_per_subject: 1, allow_rollup_hdrs: true }
}

/** All other streams of an installation. Pure. */
export const wantedStreams = (layout: Layout): WantedStream[] => {
  const { places, replicas } = layout
  return [
    ...BUCKETS.map((bucket) => bucketStream(layout, bucket)),
    { ...stream(places.snapshotStream, [places.snapshot('*').subject], replicas), max_msgs_per_subject: 1 },
    // A purge stays possible, for a room's past that a base record replaces: the server would never allow it again.
    ...places.eventStreams.map((name, index) => ({
      ...stream(name, places.eventSubjects(index), replicas),
      deny_delete: true,
    })),
  ]
}

/** Throws StorageError where a stream is kept otherwise than is wanted. */
export const checkStream = (wanted: WantedStream, found: StreamConfig): void => {
  const { name, num_replicas } = wanted
  if (found.num_replicas !== num_replicas)
    throw new StorageError(
      `stream ${name} keeps ${found.num_replicas} copies and ${num_replicas} are asked for: start with --durability jetstream-r${found.num_replicas}, or change the level first, as docs/operations.md says`,
    )
  if (found.persist_mode === PersistMode.Async)
    throw new StorageError(`stream ${name} acknowledges before it writes: its persist_mode must be the default`)
  for (const [setting, value] of Object.entries(wanted)) {
    const actual = Object.entries(found).find(([known]) => known === setting)?.[1]
    if (!isDeepStrictEqual(actual, value))
      throw new StorageError(
        `stream ${name} has ${setting} ${JSON.stringify(actual)} where Madang needs ${JSON.stringify(value)}: change it back (nats stream edit), or give Madang a NATS account of its own`,
      )
  }
}
