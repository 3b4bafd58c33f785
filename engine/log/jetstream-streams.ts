import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { PARTITIONS } from '../../bus/subjects.ts'
import type { Chance, Clock } from '../../protocol/clock.ts'
import { MAX_RECORD_BYTES } from './bounds.ts'
import { CODES, codeOf, reasonOf } from './jetstream-errors.ts'
import { bucketStream, checkStream, type Layout, type WantedStream, wantedStreams } from './jetstream-layout.ts'
import { JetStreamLink, WrongSequence } from './jetstream-link.ts'
import { JetStreamPlaces } from './jetstream-places.ts'
import { type Storage, StorageError } from './log.ts'

const FORMAT = 1
/** Headers and subject come on top of a record. */
const HEADROOM_BYTES = 2_048
export type JetStreamDurability = Extract<Storage['durability'], `jetstream-${string}`>
/** How many copies NATS keeps at that level. */
export const replicasOf = (durability: JetStreamDurability): number => (durability === 'jetstream-r1' ? 1 : 3)

/** What says which installation is meant, and how it is kept. */
export interface JetStreamOptions {
  /** Stays open when the storage is closed. */
  readonly connection: NatsConnection
  readonly durability: JetStreamDurability
  readonly clock: Clock
  readonly chance: Chance
  /** Keeps installations on one NATS apart: letters, digits, `_` and `-`. */
  readonly prefix?: string
  /** How many streams the partitions are spread over; chosen at the first start for good. */
  readonly streams?: number
  /** Told at the start what the installation promises and nobody but its operator can see to. */
  readonly onWarning?: (line: string) => void
}

/** Each is a Raft group of its own where there are replicas. */
const STREAMS = 16

const LOOK_EVERY_MS = 250

export interface Installation extends Layout {
  readonly link: JetStreamLink
}

/** Resolves once some engine has made the installation, with how many copies it keeps. `waiting` is called where that has to be waited for. Rejects with StorageError. */
export const findInstallation = async (
  { connection, clock, prefix = '' }: Pick<JetStreamOptions, 'connection' | 'clock' | 'prefix'>,
  waiting: () => void,
): Promise<JetStreamDurability> => {
  const link = await JetStreamLink.over(connection, clock)
  const places = new JetStreamPlaces(prefix, STREAMS)
  for (let looks = 0; ; looks++) {
    const durability = await durabilityKept(link, places)
    if (durability !== null) return durability
    if (looks === 0) waiting()
    await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve))
  }
}

/** Null where the installation is not made yet, or not to the end: its keys are what others need of it. Rejects with StorageError. */
const durabilityKept = async (link: JetStreamLink, places: JetStreamPlaces): Promise<JetStreamDurability | null> => {
  const guests = places.one('guests')
  try {
    const { config } = await link.starting(({ streams }) => streams.info(guests.stream))
    const keys = await Promise.all([link.last(guests), link.last(places.one('cluster'))])
    if (keys.includes(null)) return null
    return config.num_replicas === 1 ? 'jetstream-r1' : 'jetstream-r3'
  } catch (error) {
    if (codeOf(error) === CODES.noStream) return null
    throw error instanceof StorageError ? error : new StorageError(reasonOf(error), { cause: error })
  }
}

/** The installation, with nothing made yet but its settings, to which these options must fit. Rejects with StorageError. */
export const openInstallation = async (options: JetStreamOptions): Promise<Installation> => {
  const { connection, durability, clock, prefix = '', streams = STREAMS } = options
  const places = new JetStreamPlaces(prefix, streams)
  const installation = {
    link: await JetStreamLink.over(connection, clock),
    places,
    replicas: replicasOf(durability),
  }
  const leastBytes = MAX_RECORD_BYTES + HEADROOM_BYTES
  const { mostBytes } = installation.link
  if (mostBytes < leastBytes)
    throw new StorageError(`NATS takes messages of ${mostBytes} bytes: set its max_payload to ${leastBytes} or more`)
  await prepareStream(installation, bucketStream(installation, 'installation'))
  await agreeOnSettings(installation)
  return installation
}

/**
 * Makes the streams and buckets that are not there, and checks those that are; safe in many processes at once.
 * Rejects with StorageError where the cluster cannot keep them, or keeps them otherwise than is asked.
 */
export const prepareStreams = async (installation: Installation): Promise<void> => {
  await Promise.all(wantedStreams(installation).map((wanted) => prepareStream(installation, wanted)))
}

const prepareStream = async ({ link }: Installation, wanted: WantedStream): Promise<void> => {
  try {
    checkStream(wanted, await link.starting((manager) => makeOrRead(manager, wanted)))
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new StorageError(`stream ${wanted.name}: ${adviceFor(error, wanted)}`, { cause: error })
  }
}

const makeOrRead = async ({ streams }: JetStreamManager, wanted: WantedStream): Promise<StreamConfig> => {
  try {
    return (await streams.info(wanted.name)).config
  } catch (error) {
    if (codeOf(error) !== CODES.noStream) throw error
    return (await streams.add(wanted)).config
  }
}

const adviceFor = (error: unknown, { num_replicas }: WantedStream): string => {
  const code = codeOf(error)
  if (code === CODES.noCluster || code === CODES.noPeers)
    return `NATS has fewer servers than the ${num_replicas} copies that are asked for: add servers to its cluster, or use --durability jetstream-r1`
  return `${reasonOf(error)}: look at JetStream's configuration, limits and permissions on the NATS servers`
}

/** What can never change, as the first start chose it. */
const agreeOnSettings = async ({ link, places }: Installation): Promise<void> => {
  const place = places.one('settings')
  const asked = { format: FORMAT, partitions: PARTITIONS, streams: places.streams }
  const body = new TextEncoder().encode(JSON.stringify(asked))
  try {
    await link.write(place, body, 0)
    return
  } catch (error) {
    if (!(error instanceof WrongSequence)) throw new StorageError(reasonOf(error), { cause: error })
  }
  const kept = await link.last(place)
  const found = kept && new TextDecoder().decode(kept.body)
  if (found !== JSON.stringify(asked))
    throw new StorageError(
      `this NATS holds an installation with ${found}, and ${JSON.stringify(asked)} is asked for: start the Madang that made it, or give this one a NATS account of its own`,
    )
}
