import { Socket } from 'node:net'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '../protocol/clock.ts'
import { type NatsAccess, optionsOf } from './nats-options.ts'
import { checkServer, problemOf } from './nats-problem.ts'

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
  /** Leaves its server for the next one of those that it knows: a server that is cut off from the others looks well from here. */
  moveOn(): void
  /** Ends it at once, with all that runs over it. */
  close(): Promise<void>
}

/** At the start a NATS that cannot be reached is waited for so long: it may be starting too. */
const PATIENCE_MS = 10_000
const AGAIN_MS = 250

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

  moveOn(): void {
    if (this.isConnected) void this.connection.reconnect()
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
