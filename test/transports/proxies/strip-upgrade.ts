import { type ReverseProxy, reverseProxy } from './reverse.ts'

/** A proxy that has never heard of WebSocket: it hands the request for one on as an ordinary GET. */
export const stripUpgrade = (port: number): Promise<ReverseProxy> => reverseProxy(port, 'strip')
