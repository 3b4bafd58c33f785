import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { credsAuthenticator, type NodeConnectionOptions, nkeyAuthenticator, type Server } from '@nats-io/transport-node'

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

/** For one server to take a connection. */
const DIAL_MS = 2_000
/** A server is dialled again after 100 to 250 ms. */
const REDIAL = { ms: 100, jitterMs: 150 }
/** A server that is silent is given up after the third of these: at most 3.6 s. */
const PING_MS = 1_200
const PINGS_OUT = 2

/** How the client is to behave: it looks for a server for ever, and gives up a silent one soon. Pure. */
export const optionsOf = ({ servers, identity, tls }: NatsAccess): NodeConnectionOptions => ({
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
