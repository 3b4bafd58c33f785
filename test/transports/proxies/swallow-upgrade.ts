import { type ReverseProxy, reverseProxy } from './reverse.ts'

/** A proxy that accepts the request for a WebSocket and never answers it. */
export const swallowUpgrade = (port: number): Promise<ReverseProxy> => reverseProxy(port, 'swallow')
