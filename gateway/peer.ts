import type { Clock } from '../protocol/clock.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { Connection } from './connection.ts'
import type { Fanout } from './fanout.ts'
import type { Peer } from './socket.ts'

/** Where what the edge tells of a connection goes: the same for all of a gateway's. */
export interface PeerPorts {
  readonly clock: Clock
  readonly fanout: Fanout
  /** The bytes may be gone after the call. */
  receive(connection: Connection, bytes: Uint8Array, now: number): void
  closed(connection: Connection, code: number): void
}

/** A connection as its edge sees it. A class, because there is one for each of many idle connections. */
export class ConnectionPeer implements Peer {
  readonly #connection: Connection
  readonly #ports: PeerPorts

  constructor(connection: Connection, ports: PeerPorts) {
    this.#connection = connection
    this.#ports = ports
  }

  binary(bytes: Uint8Array): void {
    const now = this.#ports.clock.now()
    this.#connection.heardAt = now
    this.#ports.receive(this.#connection, bytes, now)
  }

  text(): void {
    this.#connection.end(CLOSE.textMessage, 'frames are binary messages')
  }

  alive(): void {
    this.#connection.heardAt = this.#ports.clock.now()
  }

  dropped(): void {
    for (const membership of this.#connection.memberships.values()) this.#ports.fanout.fellBehind(membership)
  }

  blocked(): void {
    this.#ports.fanout.blocked(this.#connection)
  }

  drained(): void {
    this.#ports.fanout.drained(this.#connection)
  }

  closed(code: number): void {
    this.#ports.closed(this.#connection, code)
  }
}
