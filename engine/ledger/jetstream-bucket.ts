import { type JetStreamManager, StorageType, type StreamInfo } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { CODES, codeOf } from '../log/jetstream-errors.ts'
import type { JetStreamLink } from '../log/jetstream-link.ts'
import { CHANGES_KEPT } from './ledger.ts'

interface BucketOptions {
  readonly bucket: string
  readonly replicas: number
  readonly fadesAfterMs: number
}

/** The name of the bucket of an installation; NATS's own tools read it as one. Throws where the prefix is no name. */
export const bucketOf = (prefix: string): string => {
  if (!/^[\w-]*$/.test(prefix))
    throw new Error(`the prefix ${JSON.stringify(prefix)} may hold letters, digits, _ and - only`)
  return prefix === '' ? 'ledger' : `${prefix}_ledger`
}

/** The stream that a bucket is, by NATS's own convention. */
export const streamOf = (bucket: string): string => `KV_${bucket}`

/** Makes the bucket where it is not there; safe in many processes at once. Resolves with when it was made, ms since the epoch. Rejects with what to do where it cannot be, or is kept otherwise than is asked. */
export const prepareBucket = async (link: JetStreamLink, options: BucketOptions): Promise<number> => {
  const { bucket, replicas } = options
  const { created, config: found } = await link
    .starting((manager) => madeOrFound(manager, options))
    .catch((error) => {
      throw new Error(
        `the bucket ${bucket} cannot be made: ${error}. Look at JetStream's configuration, limits and permissions on the NATS servers, and whether there are ${replicas} of them.`,
        { cause: error },
      )
    })
  if (found.num_replicas !== replicas)
    throw new Error(
      `the bucket ${bucket} has ${found.num_replicas} copies and ${replicas} are asked for: start with --durability jetstream-r${found.num_replicas}, or change the level first, as docs/operations.md says`,
    )
  if (found.max_msgs_per_subject !== CHANGES_KEPT)
    throw new Error(
      `the bucket ${bucket} keeps ${found.max_msgs_per_subject} changes of each key where Madang needs ${CHANGES_KEPT}: change it back (nats kv edit), or use another prefix`,
    )
  return Date.parse(created)
}

const madeOrFound = async (
  { streams }: JetStreamManager,
  { bucket, replicas, fadesAfterMs }: BucketOptions,
): Promise<StreamInfo> => {
  const name = streamOf(bucket)
  try {
    return await streams.info(name)
  } catch (error) {
    if (codeOf(error) !== CODES.noStream) throw error
  }
  return await streams.add({
    name,
    subjects: [`$KV.${bucket}.>`],
    num_replicas: replicas,
    storage: StorageType.File,
    max_msgs_per_subject: CHANGES_KEPT,
    allow_msg_ttl: true,
    // So that watchers are told of a key that disappears.
    subject_delete_marker_ttl: nanos(fadesAfterMs),
    allow_direct: true,
    allow_rollup_hdrs: true,
  })
}
