import { readFileSync } from 'node:fs'
import { credsAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node'
import type { NatsAccess, NatsIdentity } from '../bus/nats-options.ts'
import { CannotStart, codeOf } from './cannot-start.ts'

/** What the command line says about NATS. */
export interface NatsFlags {
  nats?: readonly string[] | undefined
  natsUser?: string | undefined
  natsPassword?: string | undefined
  natsToken?: string | undefined
  natsNkey?: string | undefined
  natsCreds?: string | undefined
  natsCa?: string | undefined
  natsCert?: string | undefined
  natsKey?: string | undefined
}

const SCHEMES = ['nats:', 'tls:']
const PORT = '4222'

/** `nats://h:4222`, `tls://h`, `h:4222` and `h` are URLs of a server; a user and password, or a token, may stand before an @. */
export const isNatsUrl = (given: string): boolean => {
  const url = parse(given)
  return (
    url !== null && url.hostname !== '' && SCHEMES.includes(url.protocol) && /^\/?$/.test(url.pathname + url.search)
  )
}

const parse = (given: string): URL | null => {
  const whole = given.includes('://') ? given : `nats://${given}`
  return URL.canParse(whole) ? new URL(whole) : null
}

/** What is wrong between the flags, or null. Pure. */
export const natsConflict = (flags: NatsFlags): string | null => {
  const named: [string, unknown][] = [
    ['--nats-user', flags.natsUser],
    ['--nats-password', flags.natsPassword],
    ['--nats-token', flags.natsToken],
    ['--nats-nkey', flags.natsNkey],
    ['--nats-creds', flags.natsCreds],
    ['--nats-ca', flags.natsCa],
    ['--nats-cert', flags.natsCert],
    ['--nats-key', flags.natsKey],
  ]
  const given = named.flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (flags.nats === undefined) return given[0] === undefined ? null : `${given[0]} needs --nats.`
  if ((flags.natsUser === undefined) !== (flags.natsPassword === undefined))
    return '--nats-user and --nats-password go together: give both.'
  if ((flags.natsCert === undefined) !== (flags.natsKey === undefined))
    return '--nats-cert and --nats-key go together: give both.'
  const inUrls = new Set(flags.nats.map(userInfo))
  if (inUrls.size > 1) return 'the URLs of --nats name different users: name one, in each of them or in none.'
  const ways = [
    ...(inUrls.has('') ? [] : ['a user in --nats']),
    ...given.filter((name) => ['--nats-user', '--nats-token', '--nats-nkey', '--nats-creds'].includes(name)),
  ]
  return ways.length > 1 ? `${ways[0]} and ${ways[1]} are both given: give one.` : null
}

/** Before the @, as it stands there. */
const userInfo = (given: string): string => {
  const url = parse(given)
  return url === null || url.username === '' ? '' : `${url.username}:${url.password}`
}

/** How NATS is reached, by flags that do not contradict each other. Throws CannotStart where a file is not what it should be. */
export const natsAccess = (flags: NatsFlags & { nats: readonly string[] }): NatsAccess => {
  const urls = flags.nats.flatMap((given) => parse(given) ?? [])
  const files = {
    ...(flags.natsCa === undefined ? {} : { caFile: flags.natsCa }),
    ...(flags.natsCert === undefined ? {} : { certFile: flags.natsCert }),
    ...(flags.natsKey === undefined ? {} : { keyFile: flags.natsKey }),
  }
  const wantsTls = Object.keys(files).length > 0 || urls.some(({ protocol }) => protocol === 'tls:')
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || PORT}`),
    identity: identityOf(flags, urls[0]),
    tls: wantsTls ? files : null,
  }
}

const identityOf = (flags: NatsFlags, url: URL | undefined): NatsIdentity => {
  const { natsUser, natsPassword, natsToken, natsNkey, natsCreds } = flags
  if (natsUser !== undefined) return { by: 'password', user: natsUser, password: natsPassword ?? '' }
  if (natsToken !== undefined) return { by: 'token', token: natsToken }
  if (natsNkey !== undefined)
    return { by: 'nkey', seed: fresh('--nats-nkey', natsNkey, 'a seed of an nkey, which begins with SU', seedIn) }
  if (natsCreds !== undefined)
    return { by: 'creds', creds: fresh('--nats-creds', natsCreds, 'credentials as nsc writes them', credsIn) }
  if (url === undefined || url.username === '') return { by: 'nobody' }
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  return password === '' ? { by: 'token', token: user } : { by: 'password', user, password }
}

const encoder = new TextEncoder()

/** Both throw where the text holds none. */
const seedIn = (text: string): string => {
  const seed = /^SU[A-Z2-7]{56}$/m.exec(text)?.[0] ?? ''
  nkeyAuthenticator(encoder.encode(seed))('try')
  return seed
}
const credsIn = (text: string): string => {
  credsAuthenticator(encoder.encode(text))('try')
  return text
}

/**
 * Reads the file now, and again at each call, as credentials are renewed while we run; where it is not right then, what was right
 * last stands. Throws CannotStart where it is not right now.
 */
const fresh = (flag: string, file: string, what: string, read: (text: string) => string): (() => string) => {
  let last: string
  try {
    last = read(readFileSync(file, 'utf8'))
  } catch (error) {
    const why = codeOf(error).startsWith('E') ? ` (${codeOf(error)})` : ''
    throw new CannotStart(`${flag} ${file} must hold ${what}${why}.`, { cause: error })
  }
  return () => {
    try {
      last = read(readFileSync(file, 'utf8'))
    } catch {
      // It may be half written.
    }
    return last
  }
}
