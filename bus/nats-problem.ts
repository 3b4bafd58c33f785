import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream'
import {
  AuthorizationError,
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node'
import { messageOf } from '../protocol/errors.ts'

/** Why NATS cannot be used, in one line that says what to do. `isFinal`: trying again would not help. */
export class NatsProblem extends Error {
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NatsProblem'
    this.isFinal = isFinal
  }
}

/** The oldest server that does all that Madang needs of JetStream. */
const OLDEST = { major: 2, minor: 12 }
const ANSWER_MS = 2_000

/** Rejects with NatsProblem where the server is too old, or JetStream cannot be used. */
export const checkServer = async (connection: NatsConnection): Promise<void> => {
  const at = `The NATS server at ${connection.getServer()}`
  const version = connection.info?.version ?? ''
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version) ?? []
  const isOld = Number(major) < OLDEST.major || (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor)
  if (major === undefined || isOld)
    throw new NatsProblem(
      `${at} is of version ${version}: Madang needs ${OLDEST.major}.${OLDEST.minor} or later.`,
      true,
    )
  try {
    await jetstreamManager(connection, { timeout: ANSWER_MS })
  } catch (error) {
    const root = rootOf(error)
    if (root instanceof JetStreamApiError && root.code === JetStreamApiCodes.JetStreamNotEnabledForAccount)
      throw new NatsProblem(`${at} gives this account no JetStream: allow it there.`, true, { cause: error })
    if (root instanceof NoRespondersError)
      throw new NatsProblem(`${at} has JetStream off: start it with -js, or with a jetstream block.`, true, {
        cause: error,
      })
    if (root instanceof PermissionViolationError)
      throw new NatsProblem(`${at} does not let this user ${root.operation} ${root.subject}: allow it there.`, true, {
        cause: error,
      })
    throw error
  }
}

/** What stood in the way of a connection to one of these servers, as a NatsProblem. Pure. */
export const problemOf = (error: unknown, servers: readonly string[]): NatsProblem => {
  if (error instanceof NatsProblem) return error
  const at = servers.length === 1 ? `NATS at ${servers[0]}` : `NATS at one of ${servers.join(', ')}`
  const root = rootOf(error)
  const said = messageOf(root)
  const options = { cause: error }
  if (isRefusal(root)) return new NatsProblem(`${at} refuses this user: ${said}. Check the credentials.`, true, options)
  const code = root instanceof Error && 'code' in root ? String(root.code) : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new NatsProblem(
      `${at} shows a certificate for another name: ${said} Name it with tls:// and as its certificate does.`,
      true,
      options,
    )
  if (UNTRUSTED.has(code))
    return new NatsProblem(`${at} shows a certificate that is not trusted: ${said}. Check --nats-ca.`, true, options)
  if (/^ERR_(SSL|OSSL|TLS)_/.test(code))
    return new NatsProblem(`TLS with ${at} fails: ${said}. Check --nats-cert and --nats-key.`, true, options)
  if (said === "server does not support 'tls'")
    return new NatsProblem(`${at} has no TLS: leave it out here, or give that server a certificate.`, true, options)
  return new NatsProblem(`${at} cannot be reached: ${reasonOf(root, code, said)}.`, false, options)
}

const reasonOf = (root: unknown, code: string, said: string): string => {
  if (code === 'ECONNREFUSED') return 'connection refused'
  // All that the client says of a server that asks for a certificate and got none that it likes.
  if (root instanceof TimeoutError) return 'no answer in time (over TLS: does it like our --nats-cert?)'
  return said
}

/** A timeout of authentication is none: a server under load has them. */
const isRefusal = (error: unknown): boolean =>
  error instanceof UserAuthenticationExpiredError ||
  (error instanceof AuthorizationError && !/timeout/i.test(error.message))

/** OpenSSL's reasons not to trust a certificate, as Node names them. */
const UNTRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** The error that a request was rejected with, without what the client wraps around it. Pure. */
export const rootOf = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof JetStreamApiError) && error.cause instanceof Error
    ? rootOf(error.cause)
    : error
