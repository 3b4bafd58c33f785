import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { until } from '../program.ts'
import { dig, type Frame, type Guest, newGuest, patched } from './raw.ts'

// An outside client without a socket: it knows docs/protocol.md and nothing of our code.

export interface SseEvent {
  event: string
  data: string
  id: string | null
}

/** Reads an event stream as browsers do (HTML, "server-sent events"), from text in whatever pieces. */
export class EventReader {
  readonly events: SseEvent[] = []
  comments = 0
  lastId = ''
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | null = null

  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.events.push({ event: this.#event, data: this.#data.join('\n'), id: this.#id })
      this.#event = ''
      this.#data = []
      this.#id = null
      return
    }
    if (line.startsWith(':')) {
      this.comments++
      return
    }
    const at = line.indexOf(':')
    const name = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
    if (name === 'event') this.#event = value
    if (name === 'data') this.#data.push(value)
    if (name === 'id') {
      this.#id = value
      this.lastId = value
    }
  }
}

/** An open event stream. */
export interface Stream {
  status: number
  headers: Record<string, string | string[] | undefined>
  reader: EventReader
  isOver: () => boolean
  /** The first frame of this kind after the last one taken; rejects where none comes. */
  next(wanted: (frame: Frame) => boolean, what?: string): Promise<Frame>
  leave(): void
}

/** A guest who calls over HTTP alone, under one session. */
export class Caller {
  readonly url: string
  readonly guest: Guest
  readonly session: string
  #ref = 0

  constructor(url: string, guest: Guest, session: string = randomUUID()) {
    this.url = url
    this.guest = guest
    this.session = session
  }

  get id(): string {
    return this.guest.player.id
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.guest.token}`, 'madang-session': this.session }
  }

  post(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/v1/send`, {
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json', ...headers },
      body,
    })
  }

  /** Sends frames as JSON; rejects where the answer is no 200. */
  async send(...frames: Frame[]): Promise<Frame[]> {
    const response = await this.post(JSON.stringify(frames))
    if (response.status !== 200) throw new Error(`POST /v1/send: ${response.status} ${await response.text()}`)
    return framesOf(await response.json())
  }

  /** Sends `[op, ref, …rest]` with the next ref and returns its OK or ERR. */
  async ask(op: number, ...rest: unknown[]): Promise<Frame> {
    const [answer] = await this.send([op, ++this.#ref, ...rest])
    if (answer === undefined) throw new Error(`no answer to ${op}`)
    return answer
  }

  async ok(op: number, ...rest: unknown[]): Promise<unknown> {
    const answer = await this.ask(op, ...rest)
    if (answer[0] !== 33) throw new Error(`ERR for ${JSON.stringify([op, ...rest])}: ${JSON.stringify(answer)}`)
    return answer[2]
  }

  async create(game: string): Promise<string> {
    return String(dig(await this.ok(2, game), 'room'))
  }

  get(path: string, headers: Record<string, string> = {}, signal: AbortSignal | null = null): Promise<Response> {
    return fetch(`${this.url}/v1/${path}`, { headers: { ...this.headers, ...headers }, signal })
  }

  /** The frames of a poll; null for 204; rejects for any other status. */
  async poll(room: string, since: number, wait: number): Promise<Frame[] | null> {
    const response = await this.get(`poll?room=${room}&since=${since}&wait=${wait}`)
    if (response.status === 204) return null
    if (response.status !== 200) throw new Error(`GET /v1/poll: ${response.status} ${await response.text()}`)
    return framesOf(await response.json())
  }

  stream(room: string, query = '', headers: Record<string, string> = {}): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.url}/v1/sse?room=${room}${query}`,
        { headers: { ...this.headers, ...headers } },
        (response) => {
          const reader = new EventReader()
          let over = false
          let taken = 0
          response.setEncoding('utf8').on('data', (text: string) => reader.push(text))
          response
            .on('error', () => {})
            .on('close', () => {
              over = true
            })
          const next: Stream['next'] = (wanted, what = wanted.toString()) =>
            until(() => {
              for (let i = taken; i < reader.events.length; i++) {
                const frame = framesOf([JSON.parse(reader.events[i]?.data ?? '')])[0]
                if (frame === undefined || !wanted(frame)) continue
                taken = i + 1
                return frame
              }
              return undefined
            }, what)
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            reader,
            isOver: () => over,
            next,
            leave: () => outgoing.destroy(),
          })
        },
      )
      outgoing.on('error', reject).end()
    })
  }
}

export const newCaller = async (url: string, name: string): Promise<Caller> =>
  new Caller(url, await newGuest(url, name))

/** What a client holds that polls: each answer must go on where the last one ended. */
export class Polled {
  seq = 0
  document: unknown = null
  readonly emits: Frame[] = []
  readonly aside: Frame[] = []

  /** Takes a 200's frames; throws where they are not what a poll from `seq` may be told. */
  take(frames: readonly Frame[]): void {
    const [first, ...rest] = frames
    const [op, , a, b, c] = first ?? []
    if (op === 35) {
      this.document = b
    } else if (op === 36) {
      if (a !== this.seq) throw new Error(`PATCH from ${a} where ${this.seq} is held`)
      this.document = patched(this.document, c)
    } else throw new Error(`begins with ${JSON.stringify(first)}`)
    const seq = Number(op === 35 ? a : b)
    if (seq < this.seq) throw new Error(`${seq} after ${this.seq}`)
    for (const frame of rest) {
      if (frame[0] === 37) {
        if (Number(frame[2]) <= this.seq || Number(frame[2]) > seq)
          throw new Error(`EMIT of ${frame[2]} in ${this.seq}–${seq}`)
        this.emits.push(frame)
      } else if (frame[0] === 38 || frame[0] === 40) this.aside.push(frame)
      else throw new Error(`holds ${JSON.stringify(frame)}`)
    }
    this.seq = seq
  }
}

const framesOf = (value: unknown): Frame[] => {
  if (!Array.isArray(value) || !value.every(Array.isArray)) throw new Error(`no frames: ${JSON.stringify(value)}`)
  return value
}
