import type { Gateway } from '../../gateway/gateway.ts'
import type { HttpReply, HttpRequest, StreamReply } from '../../gateway/http/reply.ts'
import type { Topics } from '../../gateway/topics.ts'
import type { Host, Place } from './host.ts'

/** A gateway, what answers HTTP there, and who subscribes to which of its topics. */
export interface Site {
  readonly name: string
  readonly host: Host
  readonly gateway: Gateway
  readonly topics: Topics
  readonly answer: (request: HttpRequest) => Promise<HttpReply | StreamReply>
}

/** An address, and the gateway that takes connections there now. */
export interface Door {
  readonly place: Place
  site: Site
  /** A proxy before it swallows the requests for a WebSocket. */
  swallowsUpgrades: boolean
}
