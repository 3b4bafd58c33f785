import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, vi } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { localBus } from '../../bus/local.ts'
import { GATEWAYS_SUBJECT } from '../../bus/subjects.ts'
import { realChance, realClock } from '../../cli/real.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { createAuth, type TokenKeys } from '../auth.ts'
import { type GatewayServerOptions, startGateway } from '../uws.ts'
import { ScriptedEngine } from './engine.ts'

const ends: (() => Promise<void>)[] = []

/** Ends every server and socket that a test has opened. */
export const endAll = async () => {
  for (const end of ends.splice(0).reverse()) await end()
}

/** The real gateway on a free port, with a scripted engine behind it. */
export const serve = async ({ keys, ...options }: Partial<GatewayServerOptions> & { keys?: TokenKeys } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'madang-gateway-'))
  const bus = localBus()
  const id = 'gateway-1'
  const engine = new ScriptedEngine(bus, id)
  bus.subscribe(GATEWAYS_SUBJECT, () => engine.beat())
  const server = await startGateway({
    id,
    bus,
    clock: realClock,
    chance: realChance,
    clusterKey: realChance.bytes(32),
    limits: { frame: 16_384, rate: 50 },
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    auth: createAuth({
      keys: keys ?? { by: 'guests', key: realChance.bytes(32) },
      clock: realClock,
      chance: realChance,
    }),
    origins: null,
    trustProxy: 0,
    tls: null,
    files: folder,
    isReady: () => true,
    ...options,
  })
  ends.push(async () => {
    await server.close()
    await bus.close()
    rmSync(folder, { recursive: true })
  })
  const url = `http://127.0.0.1:${server.port}`

  const guest = async (
    name: string,
  ): Promise<{ token: string; player: { id: string; name: string }; cookie: string }> => {
    const response = await fetch(`${url}/v1/guests`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    expect(response.status).toBe(201)
    const body: { token: string; player: { id: string; name: string } } = JSON.parse(await response.text())
    return { ...body, cookie: response.headers.get('set-cookie') ?? '' }
  }
  return { server, engine, bus, url, folder, guest, connect: (options?: ClientOptions) => connect(url, options) }
}

export type Wire = ReturnType<typeof connect>

/** A plain WebSocket that records what it gets. */
const connect = (url: string, options: ClientOptions = {}) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, options)
  socket.binaryType = 'nodebuffer'
  const received: unknown[][] = []
  const state: { closed: { code: number; reason: string } | null; status: number | null } = {
    closed: null,
    status: null,
  }
  socket.on('message', (bytes) => {
    const frame = Buffer.isBuffer(bytes) ? decode(bytes, { bytes: 8_388_608, depth: 32 }) : null
    received.push(Array.isArray(frame) ? frame : [frame])
  })
  socket.on('close', (code, reason) => {
    state.closed = { code, reason: reason.toString() }
  })
  socket.on('unexpected-response', (_request, response) => {
    state.status = response.statusCode ?? null
    socket.terminate()
  })
  socket.on('error', () => {})
  ends.push(async () => socket.terminate())
  return {
    socket,
    received,
    state,
    opened: () => vi.waitFor(() => expect(socket.readyState).toBe(WebSocket.OPEN), { timeout: 20_000 }),
    send: (...frames: unknown[][]) => {
      for (const frame of frames) socket.send(encode(frame))
    },
    /** Resolves with what the server sent once there are `count` frames. */
    got: async (count: number) => {
      await vi.waitFor(() => expect(received.length).toBeGreaterThanOrEqual(count), { timeout: 20_000 })
      return received
    },
    closed: async () => {
      await vi.waitFor(() => expect(state.closed).not.toBeNull(), { timeout: 20_000 })
      return state.closed
    },
  }
}
