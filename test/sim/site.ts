import type { Gateway } from '../../gateway/gateway.ts'
import type { HttpReply, HttpRequest, StreamReply } from '../../gateway/http/reply.ts'
import type { Topics } from '../../gateway/topics.ts'

/** A gateway, what answers HTTP there, and who subscribes to which of its topics. */
export interface Site {
  readonly name: string
  readonly gateway: Gateway
  readonly topics: Topics
  readonly answer: (request: HttpRequest) => Promise<HttpReply | StreamReply>
}

/** An address, and the gateway that takes connections there now. */
export interface Door {
  site: Site
  /** A proxy before it swallows the requests for a WebSocket. */
  swallowsUpgrades: boolean
}
