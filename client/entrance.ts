import type { SessionId } from '../protocol/frames.ts'
import type { Environment } from './environment.ts'
import { newGuest } from './guest.ts'
import type { Link, LinkListener, Pass, TransportName } from './link.ts'
import type { Way } from './opening.ts'
import type { ServerTime } from './server-time.ts'
import { HttpLink } from './transports/http-link.ts'
import { WebSocketLink } from './transports/websocket.ts'
import type { Wire } from './wire.ts'

/** Who the session is for: a JWT, a new guest by name, or whom the cookie names. */
export type Credential = { readonly token: string } | { readonly guest: string } | { readonly cookie: true }

export interface EntranceParts {
  readonly environment: Environment
  /** `http://host` or `https://host`, without a slash at the end. */
  readonly origin: string
  readonly credential: Credential
  readonly session: SessionId
  /** Ms between two polls, where the transport is `poll`. */
  readonly pollInterval: number
  readonly time: ServerTime
  readonly wire: Wire
}

/**
 * How a session gets to its server: as whom, and by which links. All four transports are loaded with it: what needs another one is
 * a network on which a file that is asked for later may not come either.
 */
export class Entrance implements Way {
  readonly #parts: EntranceParts
  #token: string | null

  constructor(parts: EntranceParts) {
    this.#parts = parts
    this.#token = 'token' in parts.credential ? parts.credential.token : null
  }

  /** The token that was given, or the guest's own once there is one. */
  get token(): string | null {
    return this.#token
  }

  /** Makes the guest where there is none yet. Rejects with MadangError. */
  async findPass(signal: AbortSignal): Promise<Pass> {
    const { credential, origin, environment, session } = this.#parts
    if ('guest' in credential && this.#token === null) {
      const token = await newGuest(environment.fetch, origin, credential.guest, signal)
      this.#token ??= token
    }
    return { token: this.#token, session }
  }

  /** Throws MadangError `forbidden` where the page may not. */
  openLink(transport: TransportName, pass: Pass, on: LinkListener): Link {
    const parts = { ...this.#parts, pass }
    return transport === 'websocket' ? new WebSocketLink(parts, on) : new HttpLink({ ...parts, transport }, on)
  }
}
