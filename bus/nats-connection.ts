import { isIP, Socket } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  type Server,
} from '@nats-io/transport-node'
import type { Clock } from '../protocol/clock.ts'
import { checkServer, problemOf } from './nats-problem.ts'

/**
 * Who we are to NATS: one of these, or nobody in particular. Seeds and credentials are asked for whenever a server is dialled, as
 * they may be renewed; the functions must not throw: the client would give up for good.
 */
export type NatsIdentity =
  | { by: 'nobody' }
  | { by: 'password'; user: string; password: string }
  | { by: 'token'; token: string }
  | { by: 'nkey'; seed: () => string }
  | { by: 'creds'; creds: () => string }

export interface NatsAccess {
  /** `host:port`. */
  servers: readonly string[]
  identity: NatsIdentity
  /** Only over TLS, with these files, which are read whenever a server is dialled. Null: as the server asks. */
  tls: { caFile?: string; certFile?: string; keyFile?: string } | null
}

export type LinkChange =
  | { is: 'connected' | 'disconnected'; server: string }
  /** What the server objects to, such as a subject that this user may not use. */
  | { is: 'refused'; error: Error }

/** A connection to NATS that mends itself for ever, until it is closed. */
export interface NatsLink {
  readonly connection: NatsConnection
  /** False from the loss of a server until the next one is found. */
  readonly isConnected: boolean
  /** Calls `hear` with each change; returns the function that ends it. */
  onChange(hear: (change: LinkChange) => void): () => void
  /** Ends it at once, with all that runs over it. */
  close(): Promise<void>
}

/** At the start a NATS that cannot be reached is waited for so long: it may be starting too. */
const PATIENCE_MS = 10_000
const AGAIN_MS = 250
/** For one server to take a connection. */
const DIAL_MS = 2_000
/** A server is dialled again after 100 to 250 ms. */
const REDIAL = { ms: 100, jitterMs: 150 }
/** A server that is silent is given up after the third of these: at most 3.6 s. */
const PING_MS = 1_200
const PINGS_OUT = 2

/**
 * Connects to one of the servers. Rejects with NatsProblem: at once where NATS refuses us or is unfit, after 10 s where it cannot
 * be reached (`waiting` is told why, once, when it is not reached at the first try).
 */
export const connectNats = async (
  access: NatsAccess,
  clock: Clock,
  waiting: (why: string) => void,
): Promise<NatsLink> => {
  let isLate = false
  const cancel = clock.after(PATIENCE_MS, () => {
    isLate = true
  })
  try {
    for (let tries = 0; ; tries++) {
      try {
        return await open(access)
      } catch (error) {
        const problem = problemOf(error, access.servers)
        if (problem.isFinal || isLate) throw problem
        if (tries === 0) waiting(problem.message)
      }
      await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve))
    }
  } finally {
    cancel()
  }
}

const open = async (access: NatsAccess): Promise<NatsLink> => {
  const link = new MendingLink(await connect(optionsOf(access)))
  try {
    await checkServer(link.connection)
    return link
  } catch (error) {
    await link.close()
    throw error
  }
}

const optionsOf = ({ servers, identity, tls }: NatsAccess): NodeConnectionOptions => ({
  servers: [...servers],
  name: 'madang',
  ...identityOptions(identity),
  ...(tls === null ? {} : { tls: { ...tls, ...identityChecked(servers) } }),
  timeout: DIAL_MS,
  maxReconnectAttempts: -1,
  reconnectTimeWait: REDIAL.ms,
  reconnectJitter: REDIAL.jitterMs,
  reconnectJitterTLS: REDIAL.jitterMs,
  pingInterval: PING_MS,
  maxPingOut: PINGS_OUT,
  // Else two refusals in a row, as while an operator changes users, would end the connection for good.
  ignoreAuthErrorAbort: true,
  noAsyncTraces: true,
  reconnectToServer: longestAgo,
})

const identityOptions = (identity: NatsIdentity): NodeConnectionOptions => {
  const encoder = new TextEncoder()
  switch (identity.by) {
    case 'nobody':
      return {}
    case 'password':
      return { user: identity.user, pass: identity.password }
    case 'token':
      return { token: identity.token }
    case 'nkey':
      return { authenticator: nkeyAuthenticator(() => encoder.encode(identity.seed())) }
    case 'creds':
      return { authenticator: credsAuthenticator(() => encoder.encode(identity.creds())) }
  }
}

/**
 * The client takes a server that is named by an address for `localhost`, and would hold its certificate against that: it is held
 * against the addresses that were named.
 */
const identityChecked = (servers: readonly string[]) => {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
  const meant = hosts.filter((host) => isIP(host) !== 0 || host === 'localhost')
  return {
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined {
      const names = name === 'localhost' && meant.length > 0 ? meant : [name]
      const flaws = names.map((host) => checkServerIdentity(host, certificate))
      return flaws.includes(undefined) ? undefined : flaws[0]
    },
  }
}

/** The one that was dialled longest ago: left to itself, the client goes back first to the server that it has just lost. */
const longestAgo = (pool: readonly Server[]): Server | null =>
  pool.toSorted((one, other) => one.lastConnect - other.lastConnect)[0] ?? null

class MendingLink implements NatsLink {
  readonly connection: NatsConnection
  readonly #hearers = new Set<(change: LinkChange) => void>()
  #isConnected = true

  constructor(connection: NatsConnection) {
    this.connection = connection
    void this.#follow()
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.connection.isClosed()
  }

  onChange(hear: (change: LinkChange) => void): () => void {
    this.#hearers.add(hear)
    return () => void this.#hearers.delete(hear)
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  async #follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'staleConnection') socketOf(this.connection)?.destroy()
      else if (status.type === 'disconnect') this.#turn('disconnected', status.server)
      else if (status.type === 'reconnect') this.#turn('connected', status.server)
      else if (status.type === 'error') this.#tell({ is: 'refused', error: status.error })
    }
  }

  #turn(is: 'connected' | 'disconnected', server: string): void {
    this.#isConnected = is === 'connected'
    this.#tell({ is, server })
  }

  #tell(change: LinkChange): void {
    for (const hear of [...this.#hearers]) hear(change)
  }
}

/**
 * The client's socket, out of its insides, or null. Where a server is silent, the client waits for a last write to it before it
 * goes to another one, and with what was written before still waiting, that one ends only when the system gives up on the
 * network: after a quarter of an hour.
 */
const socketOf = (connection: NatsConnection): Socket | null => {
  let at: unknown = connection
  for (const name of ['protocol', 'transport', 'socket'])
    at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined
  return at instanceof Socket ? at : null
}
