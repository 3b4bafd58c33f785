import { JetStreamApiError } from '@nats-io/jetstream'
import {
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
} from '@nats-io/transport-node'
import { rootOf } from '../../bus/nats-problem.ts'
import { messageOf } from '../../protocol/errors.ts'

/** What NATS answers, by number: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
export const CODES = {
  notOfThisSequence: 10071,
  anotherUnderWay: 10164,
  noStream: 10059,
  noCluster: 10074,
  noPeers: 10005,
  tooFewResources: 10023,
  offline: 10118,
  clusterNotAvailable: 10008,
  notLeader: 10009,
  notEnabledForAccount: 10039,
  accountFull: 10002,
  memoryFull: 10028,
  storageFull: 10047,
  messageTooLarge: 10054,
  storeFailed: 10077,
} as const

/** Nothing was stored, and a moment later it may be: an append is under way, the stream has no leader. */
const LATER: readonly number[] = [CODES.anotherUnderWay, CODES.clusterNotAvailable, CODES.notLeader]
/** The servers that a stream needs have not found each other yet, or the one that has it is not there. */
const STARTING: readonly number[] = [CODES.noPeers, CODES.tooFewResources, CODES.offline]
/** Nothing was stored, for a limit stands against it: JetStream is off for the account, account or server are full, the message is too large. */
const LIMITS: readonly number[] = [
  CODES.notEnabledForAccount,
  CODES.accountFull,
  CODES.tooFewResources,
  CODES.memoryFull,
  CODES.storageFull,
  CODES.messageTooLarge,
]
/** A stream that refuses for a limit of its own says so in words only, under `storeFailed`: the number of all that goes wrong in storing. */
const OWN_LIMIT = /^maximum .* exceeded/

/** The number of what JetStream answered, or null where it was no answer. Pure. */
export const codeOf = (error: unknown): number | null => {
  const root = rootOf(error)
  return root instanceof JetStreamApiError ? root.code : null
}

/** Whether the same request may go through in a moment, as nothing was stored. Pure. */
export const isPassing = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === null ? rootOf(error) instanceof NoRespondersError : LATER.includes(code)
}

/** Whether nobody answered in time. Pure. */
export const isSilence = (error: unknown): boolean => rootOf(error) instanceof TimeoutError

/** Whether a cluster whose servers are still finding each other answers so. Pure. */
export const isStarting = (error: unknown): boolean => STARTING.includes(codeOf(error) ?? 0) || isSilence(error)

/** Whether it is sure that nothing was stored. Pure. */
export const isRefusal = (error: unknown): boolean => {
  const root = rootOf(error)
  if (root instanceof JetStreamApiError)
    return LIMITS.includes(root.code) || (root.code === CODES.storeFailed && OWN_LIMIT.test(root.message))
  return [PermissionViolationError, ClosedConnectionError, DrainingConnectionError, InvalidArgumentError].some(
    (kind) => root instanceof kind,
  )
}

/** One line that says what went wrong, for whoever runs the installation. Pure. */
export const reasonOf = (error: unknown): string => {
  const root = rootOf(error)
  if (root instanceof TimeoutError) return 'NATS did not answer in time'
  if (root instanceof NoRespondersError) return 'JetStream does not answer: it is off, or the stream has no leader'
  if (root instanceof PermissionViolationError)
    return `the NATS user has no permission for ${root.operation} ${root.subject}`
  if (root instanceof JetStreamApiError) return `NATS: ${root.message} (${root.code})`
  return messageOf(root)
}
