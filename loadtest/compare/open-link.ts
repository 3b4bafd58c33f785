import type { Link, LinkOptions } from './link.ts'
import { openPolling } from './poll-link.ts'
import { openSse } from './sse-link.ts'
import type { Row } from './transports.ts'
import { openWebSocket } from './websocket-link.ts'

/** Opens the link of a row; resolves once the player has joined over it. */
export const openLink = (row: Row, options: LinkOptions): Promise<Link> => {
  if (row.kind === 'websocket') return openWebSocket(options)
  return row.kind === 'sse' ? openSse(options) : openPolling(options, row)
}
