import { createHmac } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'
import { expect } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'

// An outside client: it knows docs/protocol.md and nothing of our code.

export type Frame = readonly unknown[]
type Wanted = (frame: Frame) => boolean

/** What a client of a room holds: the document as its own patches made it. */
interface Held {
  seq: number
  document: unknown
}

const PATIENCE_MS = 30_000

/** One raw socket. Frames are kept in order; `next` takes the first of a kind that was not taken before. */
export class Raw {
  readonly socket: WebSocket
  /** All that came, in order. */
  readonly frames: Frame[] = []
  /** By room: what STATE and PATCH made of the document. */
  readonly held = new Map<string, Held>()
  /** PATCHes that did not fit what was held, or were larger than the STATE: none, ever. */
  readonly broken: string[] = []
  closed: { code: number; reason: string } | null = null
  /** HTTP status where the upgrade was refused. */
  status: number | null = null
  /** Id of the player that the WELCOME named. */
  me = ''
  #ref = 0
  readonly #taken = new Set<Frame>()
  readonly #watchers = new Set<() => void>()

  constructor(url: string, options: ClientOptions = {}, protocols: string[] = []) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, protocols, { maxPayload: 0, ...options })
    this.socket.binaryType = 'nodebuffer'
    this.socket.on('message', (bytes) => this.#message(bytes))
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#look()
    })
    this.socket.on('open', () => this.#look())
    this.socket.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode ?? 0
      this.socket.terminate()
      this.#look()
    })
    this.socket.on('error', () => {})
  }

  get nextRef(): number {
    return this.#ref + 1
  }

  /** Goes on with the refs of a session. */
  refsFrom(ref: number): void {
    this.#ref = ref - 1
  }

  send(...frames: Frame[]): void {
    for (const frame of frames) this.sendBytes(encode(frame))
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.send(bytes)
  }

  /** The first frame of this kind that was not taken yet; rejects where the socket closes first, or nothing comes. */
  async next(wanted: Wanted | number, what = String(wanted)): Promise<Frame> {
    const is = typeof wanted === 'number' ? (frame: Frame) => frame[0] === wanted : wanted
    const frame = await this.until(
      () => this.frames.find((each) => !this.#taken.has(each) && is(each)),
      () => `${what}; got ${JSON.stringify(this.frames.slice(-6))}, closed: ${JSON.stringify(this.closed)}`,
      () => this.closed !== null,
    )
    this.#taken.add(frame)
    return frame
  }

  /** Resolves once `test` gives something, looked at after each frame. */
  until<T>(
    test: () => T | undefined | null | false,
    what: () => string = () => test.toString(),
    hopeless: () => boolean = () => false,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (error: Error | null, value?: T) => {
        this.#watchers.delete(look)
        clearTimeout(timer)
        if (error === null && value !== undefined) resolve(value)
        else reject(error)
      }
      const look = () => {
        const value = test()
        if (value !== undefined && value !== null && value !== false) end(null, value)
        else if (hopeless()) end(new Error(`the socket closed before ${what()}`))
      }
      const timer = setTimeout(() => end(new Error(`waited in vain for ${what()}`)), PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }

  async opened(): Promise<void> {
    await this.until(
      () => this.socket.readyState === WebSocket.OPEN,
      () => 'the open socket',
      () => this.closed !== null,
    )
  }

  /** The code that the server closed with. */
  async closeCode(): Promise<number> {
    const { code } = await this.until(
      () => this.closed,
      () => `the close; got ${JSON.stringify(this.frames.slice(-6))}`,
    )
    return code
  }

  /** Says HELLO and returns the WELCOME's map. */
  async hello(ask: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    await this.opened()
    this.send([1, { v: 1, ...ask }])
    const welcome = record((await this.next(32, 'WELCOME'))[1])
    this.me = String(dig(welcome, 'player', 'id'))
    return welcome
  }

  /** Sends `[op, ref, …rest]` and returns its OK or ERR. */
  async ask(op: number, ...rest: unknown[]): Promise<Frame> {
    return this.askAs(++this.#ref, op, ...rest)
  }

  async askAs(ref: number, op: number, ...rest: unknown[]): Promise<Frame> {
    this.#ref = Math.max(this.#ref, ref)
    this.send([op, ref, ...rest])
    return this.answer(ref)
  }

  async answer(ref: number): Promise<Frame> {
    return this.next((frame) => (frame[0] === 33 || frame[0] === 34) && frame[1] === ref, `the answer to ${ref}`)
  }

  /** The OK's value; rejects where an ERR came. */
  async ok(op: number, ...rest: unknown[]): Promise<unknown> {
    const answer = await this.ask(op, ...rest)
    if (answer[0] !== 33) throw new Error(`ERR for ${JSON.stringify([op, ...rest])}: ${JSON.stringify(answer)}`)
    return answer[2]
  }

  async create(game: string, ...rest: unknown[]): Promise<string> {
    return String(dig(await this.ok(2, game, ...rest), 'room'))
  }

  async join(room: string, extra?: Record<string, unknown>): Promise<Record<string, unknown>> {
    return record(await this.ok(3, room, ...(extra === undefined ? [] : [extra])))
  }

  /** What this client's document of the room says at a path. */
  see(room: string, ...path: (string | number)[]): unknown {
    return dig(this.held.get(room)?.document, ...path)
  }

  seq(room: string): number {
    return this.held.get(room)?.seq ?? 0
  }

  /** Resolves once a PONG says that all that was sent before has been looked at by the gateway. */
  async ping(t = Math.floor(performance.now() * 1000)): Promise<Frame> {
    this.send([8, t])
    return this.next((frame) => frame[0] === 39 && frame[1] === t, 'PONG')
  }

  of(op: number, room?: string): Frame[] {
    return this.frames.filter((frame) => frame[0] === op && (room === undefined || frame[1] === room))
  }

  cut(): void {
    this.socket.terminate()
  }

  #message(bytes: unknown): void {
    const value = Buffer.isBuffer(bytes) ? decode(bytes) : null
    const frame: Frame = Array.isArray(value) ? value : [value]
    this.frames.push(frame)
    const [op, room, a, b, c] = frame
    if (op === 35) this.held.set(String(room), { seq: Number(a), document: b })
    if (op === 36) this.#patch(String(room), Number(a), Number(b), c, Buffer.isBuffer(bytes) ? bytes.length : 0)
    this.#look()
  }

  #patch(room: string, from: number, seq: number, ops: unknown, length: number): void {
    const held = this.held.get(room)
    if (held === undefined || held.seq !== from || seq <= from) {
      this.broken.push(`PATCH ${from}→${seq} of ${room} where ${held?.seq} is held`)
      return
    }
    const document = patched(held.document, ops)
    this.held.set(room, { seq, document })
    if (length > encode([35, room, seq, document]).length)
      this.broken.push(`PATCH ${from}→${seq} larger than the STATE`)
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

/** A document with these ops applied, as docs/protocol.md says, on a copy. */
export const patched = (document: unknown, ops: unknown): unknown => {
  let root = structuredClone(document)
  for (const op of ops as [(string | number)[], unknown?][]) {
    const [path, value] = op
    const isDelete = op.length === 1
    const key = path.at(-1)
    if (key === undefined) {
      if (isDelete) throw new Error('a delete of the whole document')
      root = value
      continue
    }
    const parent = dig(root, ...path.slice(0, -1))
    if (Array.isArray(parent)) {
      if (typeof key !== 'number' || key < 0 || key > parent.length - (isDelete ? 1 : 0))
        throw new Error(`index ${key} of ${parent.length}`)
      if (isDelete) parent.splice(key, 1)
      else parent[key] = value ?? null
    } else {
      const map = record(parent)
      if (typeof key !== 'string') throw new Error(`${key} into an object`)
      if (isDelete && !Object.hasOwn(map, key)) throw new Error(`delete of ${key}, which is not there`)
      if (isDelete) delete map[key]
      else map[key] = value ?? null
    }
  }
  return root
}

/** The ops of frames but NOTEs, which come when they like. */
export const opsOf = (frames: readonly Frame[]): unknown[] => frames.map(([op]) => op).filter((op) => op !== 40)

export const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${JSON.stringify(value)}`)
  return value as Record<string, unknown>
}

/** What is at this path, undefined where there is nothing. */
export const dig = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce((at: unknown, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value)

export interface Guest {
  token: string
  player: { id: string; name: string }
  cookie: string
}

export const postJson = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

export const newGuest = async (url: string, name: string): Promise<Guest> => {
  const response = await postJson(`${url}/v1/guests`, { name })
  if (response.status !== 201) throw new Error(`POST /v1/guests: ${response.status} ${await response.text()}`)
  const body = record(await response.json())
  const player = record(body.player)
  return {
    token: String(body.token),
    player: { id: String(player.id), name: String(player.name) },
    cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
  }
}

/** A guest with a socket that has been welcomed. */
export const enter = async (url: string, name: string, ask: Record<string, unknown> = {}): Promise<Entered> => {
  const guest = await newGuest(url, name)
  const raw = new Raw(url)
  const welcome = await raw.hello({ token: guest.token, ...ask })
  return { raw, guest, session: String(welcome.session), id: guest.player.id }
}

export interface Entered {
  raw: Raw
  guest: Guest
  session: string
  id: string
}

/** The same player and session on a new socket. */
export const comeBack = async (url: string, { guest, session, raw: before }: Entered): Promise<Raw> => {
  const raw = new Raw(url)
  raw.refsFrom(before.nextRef)
  await raw.hello({ token: guest.token, session })
  return raw
}

/** Players who have joined a room, in this order; the first one made it. */
export const table = async (
  url: string,
  game: string,
  count: number,
  options?: unknown,
): Promise<{ room: string; seats: Entered[] }> => {
  const seats: Entered[] = []
  for (let i = 0; i < count; i++) seats.push(await enter(url, `${game} ${i}`))
  const room = await first(seats).raw.create(game, options ?? null)
  for (const { raw } of seats) await raw.join(room)
  return { room, seats }
}

/** Ends these connections, none of which may have been sent anything that breaks the protocol. */
export const cutAll = (all: readonly { raw: Raw }[]): void => {
  for (const { raw } of all) {
    expect(raw.broken).toEqual([])
    raw.cut()
  }
}

export const first = <T>(list: readonly T[]): T => nth(list, 0)

export const nth = <T>(list: readonly T[], index: number): T => {
  const value = list.at(index)
  if (value === undefined) throw new Error(`there is no element ${index}`)
  return value
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A compact JWT of these claims, signed by hand. */
export const jwt = (
  claims: Record<string, unknown>,
  sign: { secret: string | Uint8Array; header?: Record<string, unknown> },
): string => {
  const body = `${part({ alg: 'HS256', typ: 'JWT', ...sign.header })}.${part(claims)}`
  return `${body}.${createHmac('sha256', sign.secret).update(body).digest('base64url')}`
}

/** A token that says it needs no signature. */
export const unsigned = (claims: Record<string, unknown>): string =>
  `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`

/** Opens a socket whose upgrade is expected to be refused; resolves with the HTTP status. */
export const upgradeStatus = async (url: string, options: ClientOptions): Promise<number> => {
  const raw = new Raw(url, options)
  const status = await raw.until(() => raw.status ?? (raw.socket.readyState === WebSocket.OPEN ? 101 : null))
  raw.cut()
  return status
}
