import { type VirtualClock, virtualClock } from '../../test/virtual-clock.ts'
import { type ConnectOptions, connect, type Session } from '../client.ts'
import type { Network } from '../environment.ts'
import type { TransportName } from '../link.ts'
import { seededChance } from './chance.ts'
import { TestHttp } from './http.ts'
import { TestNetwork } from './network.ts'
import { TestServer } from './server.ts'

/** A server, a network and any number of sessions in one virtual time. */
export interface World {
  readonly clock: VirtualClock
  readonly network: TestNetwork
  readonly server: TestServer
  readonly http: TestHttp
  /** What the device says about its network. */
  readonly device: { online: boolean; look(): void }
  connect(options?: Partial<ConnectOptions>): Session
  /** Runs time until the promise settles; resolves as it does. */
  until<T>(promise: Promise<T>, limit?: number): Promise<T>
}

/** `transport`: what sessions run over unless they say otherwise. */
export const world = (seed = 1, transport: 'auto' | TransportName = 'websocket'): World => {
  const clock = virtualClock()
  const chance = seededChance(seed)
  const server = new TestServer(clock)
  const http = new TestHttp(server, clock)
  const network = new TestNetwork(clock, chance, server.accept, http.serve)
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
  return {
    clock,
    network,
    server,
    http,
    device,
    connect: (options = {}) =>
      connect({
        url: 'http://test',
        ...('guest' in options ? {} : { token: 'token-ann' }),
        clock,
        chance,
        socket: network.openSocket,
        fetch: network.fetch,
        network: deviceNetwork,
        transport,
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
