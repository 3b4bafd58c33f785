import type { Clock } from '../protocol/clock.ts'
import type { Environment, Network, OpenSocket } from './environment.ts'
import { MadangError } from './error.ts'

// The only file of the SDK that touches real time, chance and the network. Browsers, and Node from 22 on.

const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => {
    setTimeout(task, 0)
  },
}

const openSocket: OpenSocket = (url, listener) => {
  const socket = new WebSocket(url, 'madang.v1')
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => listener.opened()
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) listener.message(new Uint8Array(data))
  }
  socket.onclose = ({ code, reason }) => listener.closed(code, reason)
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array(bytes))
    },
    close: (code = 1000, reason = '') => socket.close(code, reason),
    get buffered() {
      return socket.bufferedAmount
    },
  }
}

/** Node tells nothing about the network: then there always is one. */
const network: Network = {
  online: () => globalThis.navigator?.onLine ?? true,
  watch: (listener) => {
    if (typeof window === 'undefined') return () => {}
    const shown = (): void => {
      if (document.visibilityState === 'visible') listener()
    }
    window.addEventListener('online', listener)
    window.addEventListener('offline', listener)
    document.addEventListener('visibilitychange', shown)
    return () => {
      window.removeEventListener('online', listener)
      window.removeEventListener('offline', listener)
      document.removeEventListener('visibilitychange', shown)
    }
  },
}

/** The real clock, chance, sockets and network of this browser or Node process. */
export const edge: Environment = {
  clock,
  chance: {
    uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    bytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
  },
  openSocket,
  fetch: (url, init) => fetch(url, init),
  network,
  rtc: async () => {
    if (typeof RTCPeerConnection === 'undefined')
      throw new MadangError('unavailable', 'there is no WebRTC here: video needs a current browser')
    const { rtc } = await import('./media/mediasoup.ts')
    return rtc
  },
}
