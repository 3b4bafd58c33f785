import type { Fetch, FetchAnswer } from '../../client/environment.ts'
import type { HttpReply, HttpRequest, StreamReply } from '../../gateway/http/reply.ts'
import { HttpStream } from '../../gateway/http/stream.ts'
import { splitFrames } from '../../protocol/batch.ts'
import { decode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { parseJsonFrame } from '../../protocol/json.ts'
import { Body } from './body.ts'
import type { Reading } from './checks/wire.ts'
import type { Host } from './host.ts'
import type { Link, SimNetwork } from './network.ts'
import type { Door, Site } from './site.ts'

/** What the network holds of a stream that its reader does not take. */
const WINDOW_BYTES = 65_536
/** A link that is dead one way is given up by the system beneath the server after a while. */
const GIVEN_UP_MS = [5_000, 25_000] as const

type Init = Parameters<Fetch>[1]

/** Simulated requests over HTTP, each on a link of its own, so that those of one client overtake each other. */
export class SimRequests {
  readonly #network: SimNetwork

  constructor(network: SimNetwork) {
    this.#network = network
  }

  /** The `fetch` of one bot; each request goes to any gateway. */
  fetcher(who: string): Fetch {
    return (url, init) => this.#ask(who, url, init)
  }

  #ask(who: string, url: string, init: Init): Promise<FetchAnswer> {
    const exchange = new Exchange(who, new URL(url), init, this.#network)
    exchange.begin(this.#network.ground.dice.sockets.pick(this.#network.doors))
    return exchange.answer
  }
}

/** One request and its answer. */
class Exchange implements Link {
  readonly who: string
  readonly answer: Promise<FetchAnswer>
  readonly #number: number
  readonly #url: URL
  readonly #init: Init
  readonly #network: SimNetwork
  readonly #settle: PromiseWithResolvers<FetchAnswer>
  readonly #body = new Body()
  readonly #blind = { up: false, down: false }
  readonly #up: (task: () => void) => void
  readonly #down: (task: () => void) => void
  /** Resolves when the server hears that the client has gone. */
  readonly #left = Promise.withResolvers<void>()
  #site: Site | null = null
  #clientOpen = true
  #serverOpen = true
  /** Bytes of a stream that are under way. */
  #buffered = 0

  constructor(who: string, url: URL, init: Init, network: SimNetwork) {
    this.who = who
    this.#url = url
    this.#init = init
    this.#network = network
    this.#number = network.number()
    this.#settle = Promise.withResolvers<FetchAnswer>()
    this.answer = this.#settle.promise
    this.#up = network.line(() => !this.#blind.up)
    this.#down = network.line(() => !this.#blind.down)
  }

  begin(door: Door): void {
    const { signal, method } = this.#init
    this.#network.links.add(this)
    signal.addEventListener('abort', () => this.#abort())
    if (signal.aborted) {
      this.#abort()
      return
    }
    this.#note(`${method} ${this.#url.pathname}${this.#url.search}`)
    const frames = this.#sent()
    this.#up(() => this.#arrive(door.site))
    if (!this.#isPost || frames.some(([op]) => op === OP.join) || !this.#network.isImpatient()) return
    this.#sent()
    this.#up(() => {
      const { host, answer } = door.site
      host.arrive(() => void answer(this.#request(() => {})))
    })
  }

  /** What a GET reads; null where it reads no room. */
  get #reading(): Reading | null {
    const query = this.#url.searchParams
    const room = query.get('room')
    const as = this.#url.pathname === '/v1/sse' ? 'stream' : 'poll'
    return room === null
      ? null
      : { room, since: Number(query.get('since') ?? 0), as, wait: Number(query.get('wait') ?? 0) }
  }

  get #isPost(): boolean {
    return this.#init.method === 'POST'
  }

  get server(): Host | null {
    return this.#site?.host ?? null
  }

  get isSick(): boolean {
    return this.#blind.up || this.#blind.down
  }

  cut(): void {
    const { clock, dice } = this.#network.ground
    this.#note('is cut')
    this.#blind.up = true
    this.#blind.down = true
    clock.after(dice.sockets.between(0, 2_000), () => this.#fail('the connection broke'))
    clock.after(dice.sockets.between(0, 6_000), () => this.#gone())
  }

  halve(direction: 'up' | 'down' | 'both'): void {
    const { clock, dice } = this.#network.ground
    this.#note(`loses what goes ${direction === 'both' ? 'either way' : direction}`)
    if (direction !== 'down') this.#blind.up = true
    if (direction !== 'up') this.#blind.down = true
    clock.after(dice.sockets.between(...GIVEN_UP_MS), () => this.#gone())
  }

  orphan(isHeard: boolean): void {
    this.#serverOpen = false
    if (isHeard) this.#down(() => this.#fail('the connection broke'))
    else this.halve('both')
    this.#forgetOnceOver()
  }

  /** Tells the tap what leaves the client. */
  #sent(): (readonly unknown[])[] {
    const { body } = this.#init
    if (this.#reading !== null) this.#network.tap.reads(this.who, this.#number, this.#reading)
    const frames = body instanceof Uint8Array ? framesIn(body) : []
    for (const frame of frames) this.#network.tap.sent(this.who, this.#number, 'post', frame)
    return frames
  }

  #request(onGone: HttpRequest['onGone']): HttpRequest {
    const { method, headers, body = new Uint8Array() } = this.#init
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    return {
      method,
      path: this.#url.pathname,
      query: this.#url.searchParams,
      headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      address: '127.0.0.1',
      isSecure: false,
      body: async (most) => (bytes.length <= most ? bytes : null),
      onGone,
    }
  }

  #arrive(site: Site): void {
    if (!this.#serverOpen) return
    if (site.host.isDead) {
      this.orphan(true)
      return
    }
    this.#site = site
    const onGone = (task: () => void): void => void this.#left.promise.then(task)
    site.host.arrive(() => void site.answer(this.#request(onGone)).then((reply) => this.#reply(reply)))
  }

  #reply(reply: HttpReply | StreamReply): void {
    if (!this.#serverOpen) {
      if (reply.body instanceof HttpStream) reply.body.gone()
      return
    }
    const headers = new Headers(reply.headers)
    this.#send(() => {
      if (reply.status !== 200) this.#note(`is answered with ${reply.status}`)
      if (this.#clientOpen)
        this.#settle.resolve({ status: reply.status, headers, body: { getReader: () => this.#body } })
    })
    if (reply.body instanceof HttpStream) this.#stream(reply.body)
    else this.#whole(reply.body, reply.status)
  }

  #whole(body: Uint8Array | string, status: number): void {
    this.#serverOpen = false
    this.#send(() => {
      if (!this.#clientOpen) return
      if (status === 200 && typeof body !== 'string' && this.#url.pathname !== '/v1/me')
        for (const frame of framesIn(body))
          this.#network.tap.delivered(this.who, this.#number, this.#isPost ? 'post' : 'read', frame)
      if (this.#reading?.as === 'poll') this.#network.tap.reads(this.who, this.#number, this.#reading, status)
      this.#body.push(typeof body === 'string' ? new TextEncoder().encode(body) : body)
      this.#end()
    })
  }

  #stream(stream: HttpStream): void {
    stream.begin({
      write: (text) => {
        this.#buffered += text.length
        this.#send(() => this.#chunk(text, stream))
        return this.#buffered <= WINDOW_BYTES
      },
      keep: () => {},
      end: () => {
        this.#serverOpen = false
        this.#send(() => this.#end())
      },
      cut: () => {
        this.#serverOpen = false
        this.#send(() => this.#fail('the server cut the stream'))
      },
    })
  }

  #chunk(text: string, stream: HttpStream): void {
    this.#buffered -= text.length
    if (this.#buffered === 0) this.#site?.host.arrive(() => stream.writable())
    if (!this.#clientOpen) return
    for (const line of text.split('\n')) {
      if (!line.startsWith('data: ')) continue
      const frame = parseJsonFrame(line.slice('data: '.length), SERVER_LIMITS)
      if (Array.isArray(frame)) this.#network.tap.delivered(this.who, this.#number, 'read', frame)
    }
    // A network does not keep together what was written together.
    const bytes = new TextEncoder().encode(text)
    const at = this.#network.ground.dice.sockets.between(0, bytes.length)
    if (at > 0) this.#body.push(bytes.subarray(0, at))
    if (at < bytes.length) this.#body.push(bytes.subarray(at))
  }

  /** What the gateway sends. */
  #send(task: () => void): void {
    this.#site?.host.leave(() => this.#down(task))
  }

  /** The client goes. */
  #abort(): void {
    this.#up(() => this.#gone())
    this.#fail('it was aborted')
  }

  /** The answer is whole. */
  #end(): void {
    this.#clientOpen = false
    this.#forgetOnceOver()
    this.#body.end(null)
  }

  #fail(why: string): void {
    if (!this.#clientOpen) return
    this.#clientOpen = false
    this.#forgetOnceOver()
    const error = new Error(why)
    this.#settle.reject(error)
    this.#body.end(error)
  }

  /** The server hears that the client has gone. */
  #gone(): void {
    if (this.#serverOpen) this.#site?.host.arrive(() => this.#left.resolve())
    this.#serverOpen = false
    this.#forgetOnceOver()
  }

  #forgetOnceOver(): void {
    if (!this.#clientOpen && !this.#serverOpen) this.#network.links.delete(this)
  }

  #note(what: string): void {
    this.#network.ground.timeline.note(null, `link ${this.#number} of ${this.who}: ${what}`)
  }
}

const framesIn = (bytes: Uint8Array): (readonly unknown[])[] =>
  splitFrames(bytes, SERVER_LIMITS).map((frame) => {
    const decoded = decode(frame, SERVER_LIMITS)
    return Array.isArray(decoded) ? decoded : []
  })
