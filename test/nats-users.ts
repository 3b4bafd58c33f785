import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'

/** What a nats-server is configured with to know one user, and what that user needs to get in. */
export interface KnownUser {
  /** For `startNats`. */
  readonly config: string
  /** A file with the user's secret, in the folder that was given. */
  readonly file: string
}

/** A user whose key the server knows. */
export const nkeyUser = (folder: string): KnownUser => {
  const user = nkeys.createUser()
  const file = join(folder, 'user.nk')
  writeFileSync(file, `${text(user.getSeed())}\n`)
  return { config: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`, file }
}

/** A user with a JWT of an account of an operator, whom the server trusts. `jetstream`: whether that account may use it. */
export const jwtUser = (folder: string, { jetstream = true }: { jetstream?: boolean } = {}): KnownUser => {
  const [operator, system, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ]
  const byOperator = (key: Key, fields: object) => jwt(operator, key, { type: 'account', ...fields })
  const any = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
  const accountJwt = byOperator(account, { limits: jetstream ? { ...any, ...storage } : any })
  const userJwt = jwt(account, user, { type: 'user', subs: -1, data: -1, payload: -1, pub: {}, sub: {} })
  const file = join(folder, 'user.creds')
  const block = (name: string, body: string) => `-----BEGIN ${name}-----\n${body}\n------END ${name}------\n\n`
  writeFileSync(file, block('NATS USER JWT', userJwt) + block('USER NKEY SEED', text(user.getSeed())))
  const config = [
    `operator: ${jwt(operator, operator, { type: 'operator', system_account: system.getPublicKey() })}`,
    `system_account: ${system.getPublicKey()}`,
    'resolver: MEMORY',
    `resolver_preload: {`,
    `  ${system.getPublicKey()}: ${byOperator(system, { limits: any })}`,
    `  ${account.getPublicKey()}: ${accountJwt}`,
    '}',
  ].join('\n')
  return { config, file }
}

type Key = ReturnType<typeof nkeys.createUser>

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const base64 = (value: string | Uint8Array) => Buffer.from(value).toString('base64url')

/** As NATS signs them: with the issuer's nkey. */
const jwt = (issuer: Key, subject: Key, nats: object): string => {
  const claims = {
    jti: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    nats: { version: 2, ...nats },
  }
  const signed = [{ typ: 'JWT', alg: 'ed25519-nkey' }, claims].map((part) => base64(JSON.stringify(part))).join('.')
  return `${signed}.${base64(issuer.sign(Buffer.from(signed)))}`
}

export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Files of an authority, and of a certificate that it has signed for these names, for servers and clients. */
export const certificates = (folder: string, names = 'IP:127.0.0.1'): Certificates => {
  const [ca, caKey, cert, key] = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name))
  if (ca === undefined || caKey === undefined || cert === undefined || key === undefined) throw new Error('four names')
  const fresh = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const make = (args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  make([...fresh, '-keyout', caKey, '-out', ca, '-subj', '/CN=Authority'])
  const told = ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE']
  make([...fresh, '-keyout', key, '-out', cert, '-subj', '/CN=nats', '-CA', ca, '-CAkey', caKey, ...told])
  return { ca, cert, key }
}
