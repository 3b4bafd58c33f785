import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Chance, Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import { type Authenticator, type Identity, nameFlaw, playerIdFlaw } from './identity.ts'

/** Whose signature makes a token good. Guests' tokens are ours, under a random key kept with the data. */
export type TokenKeys =
  | { by: 'guests'; key: Uint8Array }
  | { by: 'secret'; secret: string }
  | { by: 'jwks'; url: string }

export interface AuthOptions {
  keys: TokenKeys
  /** Lets guests in besides those whom other keys speak for; their tokens are under this one. */
  guestKey?: Uint8Array
  /** Required in tokens where set; guests' tokens have their own. */
  issuer?: string
  audience?: string
  clock: Clock
  chance: Chance
}

export interface GuestPass {
  token: string
  player: { id: string; name: string }
}

export interface Auth extends Authenticator {
  /** Resolves with a token for a new guest of this name; null where guests are off. Rejects with Refusal `invalid_payload` for a bad name. */
  admitGuest: ((name: unknown) => Promise<GuestPass>) | null
}

export const GUEST_TOKEN_SECONDS = 30 * 24 * 3_600
const GUEST_ISSUER = 'madang'
const GUEST_AUDIENCE = 'madang-guest'
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const JWKS_MS = 5_000
/** A token under a key that is not known yet makes us look again, at most this often. */
const JWKS_AGAIN_MS = 1_000

/** Returns the verifier of tokens and, where guests are on, the maker of theirs. */
export const createAuth = ({ keys, guestKey, issuer, audience, clock, chance }: AuthOptions): Auth => {
  const claims = { ...(issuer === undefined ? {} : { issuer }), ...(audience === undefined ? {} : { audience }) }
  const verifyKeyed = verifier(keys, claims)
  const verifyGuest = guestKey === undefined ? null : verifier({ by: 'guests', key: guestKey }, claims)

  const read = async (token: string): Promise<{ payload: JWTPayload; guest: boolean }> => {
    const now = new Date(clock.now())
    if (verifyGuest !== null && decodeJwt(token).aud === GUEST_AUDIENCE)
      return { payload: await verifyGuest(token, now), guest: true }
    return { payload: await verifyKeyed(token, now), guest: keys.by === 'guests' }
  }
  const verify = async (token: string): Promise<Identity> => {
    const { payload, guest } = await read(token).catch((error: unknown) => {
      throw refusalOf(error)
    })
    const flaw = playerIdFlaw(payload.sub) ?? nameFlaw(payload.name)
    if (flaw !== null) throw new Refusal('unauthorized', `the token is not accepted: ${flaw}`)
    const { exp } = payload
    const identity = { id: String(payload.sub), name: String(payload.name), guest }
    return exp === undefined ? identity : { ...identity, expiresAt: exp * 1_000 }
  }
  const key = keys.by === 'guests' ? keys.key : guestKey
  if (key === undefined) return { verify, admitGuest: null }

  const admitGuest = async (asked: unknown): Promise<GuestPass> => {
    const name = typeof asked === 'string' ? asked.normalize('NFC').trim() : asked
    const flaw = nameFlaw(name)
    if (flaw !== null || typeof name !== 'string') throw new Refusal('invalid_payload', flaw ?? 'a name is needed')
    const id = `guest-${Buffer.from(chance.bytes(12)).toString('base64url')}`
    const seconds = Math.floor(clock.now() / 1000)
    const token = await new SignJWT({ name })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(id)
      .setIssuer(GUEST_ISSUER)
      .setAudience(GUEST_AUDIENCE)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + GUEST_TOKEN_SECONDS)
      .sign(key)
    return { token, player: { id, name } }
  }
  return { verify, admitGuest }
}

type Verify = (token: string, currentDate: Date) => Promise<JWTPayload>

const verifier = (keys: TokenKeys, claims: Pick<JWTVerifyOptions, 'issuer' | 'audience'>): Verify => {
  const check = { requiredClaims: ['sub'] }
  if (keys.by === 'jwks') {
    const set = createRemoteJWKSet(new URL(keys.url), { timeoutDuration: JWKS_MS, cooldownDuration: JWKS_AGAIN_MS })
    const options = { ...check, ...claims, algorithms: ASYMMETRIC }
    return async (token, currentDate) => (await jwtVerify(token, set, { ...options, currentDate })).payload
  }
  const key = keys.by === 'guests' ? keys.key : new TextEncoder().encode(keys.secret)
  const own = keys.by === 'guests' ? { issuer: GUEST_ISSUER, audience: GUEST_AUDIENCE } : claims
  const options = { ...check, ...own, algorithms: ['HS256'] }
  return async (token, currentDate) => (await jwtVerify(token, key, { ...options, currentDate })).payload
}

/** What is wrong with the token itself; any other failure is of the keys' server, and may pass. */
const refusalOf = (error: unknown): Refusal => {
  if (error instanceof errors.JWTExpired) return new Refusal('unauthorized', 'the token has expired: get a new one')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new Refusal('unauthorized', `the token's claim ${error.claim} is missing or not the one expected here`)
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  )
    return new Refusal('unauthorized', 'the token is not valid here')
  return new Refusal('unavailable', 'the keys that tokens are checked with cannot be had now: try again')
}
