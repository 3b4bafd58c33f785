import { type VirtualClock, virtualClock } from '../../test/virtual-clock.ts'
import { type ConnectOptions, connect, type Session } from '../client.ts'
import type { Fetch, Network } from '../environment.ts'
import { seededChance } from './chance.ts'
import { TestNetwork } from './network.ts'
import { TestServer } from './server.ts'

/** A server, a network and any number of sessions in one virtual time. */
export interface World {
  readonly clock: VirtualClock
  readonly network: TestNetwork
  readonly server: TestServer
  /** What the device says about its network. */
  readonly device: { online: boolean; look(): void }
  connect(options?: Partial<ConnectOptions>): Session
  /** Runs time until the promise settles; resolves as it does. */
  until<T>(promise: Promise<T>, limit?: number): Promise<T>
}

export const world = (seed = 1): World => {
  const clock = virtualClock()
  const chance = seededChance(seed)
  const server = new TestServer(clock)
  const network = new TestNetwork(clock, chance, server.accept)
  const watchers = new Set<() => void>()
  const device = {
    online: true,
    look: () => {
      for (const watcher of watchers) watcher()
    },
  }
  const deviceNetwork: Network = {
    online: () => device.online,
    watch: (listener) => {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
  }
  const noFetch: Fetch = () => Promise.reject(new Error('no fetch in this test'))
  return {
    clock,
    network,
    server,
    device,
    connect: (options = {}) =>
      connect({
        url: 'http://test',
        ...('guest' in options ? {} : { token: 'token-ann' }),
        clock,
        chance,
        socket: network.openSocket,
        fetch: noFetch,
        network: deviceNetwork,
        ...options,
      }),
    until: async (promise, limit) => {
      let settled = false
      const done = (): void => {
        settled = true
      }
      promise.then(done, done)
      await clock.runUntil(() => settled, limit)
      return promise
    },
  }
}

/** What the promise rejects with; rejects where it does not. */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`it was not refused: ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  )
