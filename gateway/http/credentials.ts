import { TOKEN_CHARACTERS } from '../hello.ts'

export interface Credentials {
  token: string
  from: 'bearer' | 'cookie'
}

/** Returns the token that a request carries: `Authorization: Bearer`, else the cookie `madang`; null without. Pure. */
export const credentialsOf = (authorization: string | undefined, cookies: string | undefined): Credentials | null => {
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (bearer !== undefined) return limited({ token: bearer, from: 'bearer' })
  for (const pair of (cookies ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (pair.slice(0, at).trim() === 'madang') return limited({ token: pair.slice(at + 1).trim(), from: 'cookie' })
  }
  return null
}

const limited = (credentials: Credentials): Credentials | null =>
  credentials.token === '' || credentials.token.length > TOKEN_CHARACTERS ? null : credentials

/** Returns the client's address: the one that the outermost of `proxies` trusted proxies saw, else the socket's. Pure. */
export const clientAddress = (socketAddress: string, forwardedFor: string | undefined, proxies: number): string => {
  if (proxies === 0 || forwardedFor === undefined) return socketAddress
  const hops = forwardedFor
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '')
  return hops.at(-Math.min(proxies, hops.length)) ?? socketAddress
}
