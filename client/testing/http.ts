import { splitFrames } from '../../protocol/batch.ts'
import type { Clock } from '../../protocol/clock.ts'
import { concat, decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type PlayerId, type Seq, type ServerFrame } from '../../protocol/frames.ts'
import { stringifyFrame } from '../../protocol/json.ts'
import type { Reply, TestRequest } from './exchange.ts'
import type { ServerEnd } from './network.ts'
import { ROOM, type TestServer } from './server.ts'

const HEARTBEAT_MS = 15_000
const MSGPACK = { 'content-type': 'application/vnd.msgpack' }

/** Who asks. */
export interface Visitor {
  readonly player: PlayerId
  readonly session: string
}

/** What the server does wrong over HTTP on purpose: asked for every request. */
export interface HttpFaults {
  /** This request is refused with a status before it takes effect. */
  refuse(request: TestRequest): { status: number; retryAfter?: number } | null
  /** A POST of these frames is never answered. */
  hangs?(frames: readonly unknown[]): boolean
}

interface Poll {
  readonly visitor: Visitor
  readonly since: Seq
  readonly reply: Reply
  readonly cancel: () => void
}

/** The HTTP side of the test server: `/v1/me`, `/v1/send`, `/v1/sse` and `/v1/poll`, as docs/protocol.md has them. */
export class TestHttp {
  faults: HttpFaults = { refuse: () => null }
  /** Every poll brings this, as a server does with what it keeps for polls. */
  repeats: ServerFrame | null = null
  /** The frames of each POST. */
  readonly posts: unknown[][] = []
  readonly #server: TestServer
  readonly #clock: Clock
  readonly #polls = new Set<Poll>()
  readonly #streams = new Map<string, ServerEnd>()

  constructor(server: TestServer, clock: Clock) {
    this.#server = server
    this.#clock = clock
    server.onCommit = () => {
      for (const poll of [...this.#polls]) this.#answer(poll)
    }
  }

  readonly serve = (request: TestRequest, reply: Reply): (() => void) => {
    const refusal = this.faults.refuse(request)
    const player = /^Bearer token-(\w+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (refusal) {
      const headers = refusal.retryAfter === undefined ? {} : { 'retry-after': String(refusal.retryAfter) }
      return problem(reply, refusal.status, 'unavailable', 'not now', headers)
    }
    if (player === undefined) return problem(reply, 401, 'unauthorized', 'the token is not valid')
    const visitor = { player, session: `${player}/${request.headers['madang-session']}` }
    if (request.path === '/v1/me') return this.#me(player, reply)
    if (request.path === '/v1/send') return this.#send(visitor, request.body, reply)
    const room = request.query.get('room')
    if (room !== ROOM) return problem(reply, 404, 'not_found', `there is no room ${room}`)
    if (!this.#server.isMember(player)) return problem(reply, 403, 'not_member', 'join first')
    const since = Number(request.query.get('since') ?? 0)
    if (request.path === '/v1/sse') return this.#stream(visitor, since, reply)
    return this.#poll(visitor, since, Number(request.query.get('wait') ?? 25), reply)
  }

  /** Ends all that is held open; streams say BYE before. */
  bye(reason: string, extra: { retryAfter?: number; resume: boolean }): void {
    for (const poll of [...this.#polls]) this.#empty(poll)
    for (const end of [...this.#streams.values()]) {
      end.send(encode([OP.bye, reason, extra]))
      end.close(1012)
    }
  }

  #me(player: PlayerId, reply: Reply): () => void {
    const limits = { frame: 16_384, rate: 50 }
    const text = JSON.stringify({ v: 1, player: { id: player, name: player }, now: this.#clock.now() + 5_000, limits })
    reply.head(200, { 'content-type': 'application/json' })
    reply.write(new TextEncoder().encode(text))
    reply.end()
    return () => {}
  }

  #send(visitor: Visitor, body: Uint8Array, reply: Reply): () => void {
    const answers: Uint8Array[] = []
    const frames = splitFrames(body).map((bytes) => decode(bytes))
    this.posts.push(frames)
    if (this.faults.hangs?.(frames)) return () => {}
    for (const frame of frames) {
      if (Array.isArray(frame)) this.#server.posted(visitor, frame, (answer) => answers.push(encode(answer)))
    }
    reply.head(200, MSGPACK)
    reply.write(concat(...answers))
    reply.end()
    return () => {}
  }

  #stream(visitor: Visitor, since: Seq, reply: Reply): () => void {
    const text = (text: string): void => reply.write(new TextEncoder().encode(text))
    let cancelBeat: () => void = () => {}
    const beat = (): void => {
      text(':\n\n')
      cancelBeat = this.#clock.after(HEARTBEAT_MS, beat)
    }
    const over = (): void => {
      cancelBeat()
      gone()
      if (this.#streams.get(visitor.session) === end) this.#streams.delete(visitor.session)
    }
    const end: ServerEnd = {
      send: (bytes) => text(`event: frame\ndata: ${stringifyFrame(decode(bytes, SERVER_LIMITS))}\n\n`),
      close: () => {
        over()
        reply.end()
      },
    }
    const before = this.#streams.get(visitor.session)
    before?.send(encode([OP.bye, 'taken over by a newer connection', { resume: false }]))
    before?.close(4002)
    reply.head(200, { 'content-type': 'text/event-stream' })
    beat()
    this.#streams.set(visitor.session, end)
    const gone = this.#server.streamed(visitor, since, end)
    return over
  }

  #poll(visitor: Visitor, since: Seq, wait: number, reply: Reply): () => void {
    const poll: Poll = { visitor, since, reply, cancel: this.#clock.after(wait * 1000, () => this.#empty(poll)) }
    this.#polls.add(poll)
    this.#answer(poll)
    return () => {
      poll.cancel()
      this.#polls.delete(poll)
    }
  }

  #answer(poll: Poll): void {
    const news = this.#server.read(poll.since)
    if (news === null && this.repeats === null) return
    const frames: ServerFrame[] = news ?? [[OP.patch, ROOM, poll.since, poll.since, []]]
    if (this.repeats) frames.push(this.repeats)
    poll.cancel()
    this.#polls.delete(poll)
    poll.reply.head(200, MSGPACK)
    poll.reply.write(concat(...frames.map((frame: ServerFrame) => encode(frame))))
    poll.reply.end()
  }

  #empty(poll: Poll): void {
    poll.cancel()
    this.#polls.delete(poll)
    poll.reply.head(204)
    poll.reply.end()
  }
}

const problem = (
  reply: Reply,
  status: number,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): (() => void) => {
  reply.head(status, { 'content-type': 'application/problem+json', ...headers })
  reply.write(new TextEncoder().encode(JSON.stringify({ type: 'about:blank', title: code, status, code, detail })))
  reply.end()
  return () => {}
}
