import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { decode } from '../../protocol/codec.ts'
import { endAll, serve } from '../testing/server.ts'

afterEach(endAll)

const SESSION = 'session-of-a-test-000'
type Served = Awaited<ReturnType<typeof serve>>

/** A gateway, and a player's way to call it. */
const seat = async (options: Parameters<typeof serve>[0] = {}) => {
  const served = await serve(options)
  const ann = await served.guest('Ann')
  const headers = { authorization: `Bearer ${ann.token}`, 'madang-session': SESSION }
  const post = (frames: unknown, more: Record<string, string> = {}) =>
    fetch(`${served.url}/v1/send`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', ...more },
      body: JSON.stringify(frames),
    })
  const get = (path: string, more: Record<string, string> = {}) =>
    fetch(`${served.url}/v1/${path}`, { headers: { ...headers, ...more } })
  return { ...served, ann, headers, post, get }
}

/** An open event stream and what came on it. */
const stream = async ({ url }: Served, path: string, headers: Record<string, string>) => {
  const state = { text: '', isOver: false }
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    httpRequest(`${url}/v1/${path}`, { headers }, resolve).on('error', reject).end(),
  )
  response.setEncoding('utf8').on('data', (text: string) => {
    state.text += text
  })
  response.on('close', () => {
    state.isOver = true
  })
  const events = () =>
    state.text
      .split('\n\n')
      .filter((block) => block.startsWith('event: '))
      .map((block) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        return { id: field('id'), frame: JSON.parse(field('data') ?? 'null') as unknown[] }
      })
  return {
    response,
    state,
    events,
    got: async (count: number) => {
      await vi.waitFor(() => expect(events().length).toBeGreaterThanOrEqual(count), { timeout: 20_000 })
      return events()
    },
    over: () => vi.waitFor(() => expect(state.isOver).toBe(true), { timeout: 20_000 }),
  }
}

const read = async (response: Response): Promise<unknown> => JSON.parse(await response.text())

test('POST /v1/send answers OK, ERR and PONG in the order of the frames, as JSON', async () => {
  const { post, engine } = await seat()
  const response = await post([
    [5, 1, 'r', 'mark', { cell: 1 }],
    [8, 7],
    [5, 2, 'r', 'mark'],
    [3, 3, 'q'],
    [99, 4],
    [6, 'r', 'stroke', { $bin: 'AQI=' }],
  ])
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await read(response)).toEqual([
    [33, 1, 'mark'],
    [39, 7, expect.any(Number)],
    [33, 2, 'mark'],
    [33, 3, { room: 'q', role: 'player', seq: 1 }],
    [34, 4, 'bad_frame', expect.any(String)],
  ])
  expect(engine.commands.map(({ room, conn, session, frames }) => [room, conn, session, frames.length])).toEqual([
    ['r', null, SESSION, 1],
    ['r', null, SESSION, 1],
    ['q', null, SESSION, 1],
    ['r', null, SESSION, 1],
  ])
  expect(decode(engine.commands[3]?.frames[0] ?? new Uint8Array())).toEqual([6, 'r', 'stroke', new Uint8Array([1, 2])])
})

test('a poll answers at once what changed, 204 where nothing did, and ends when something comes', async () => {
  const { get, engine } = await seat()
  const first = await get('poll?room=r&wait=0')
  expect(await read(first)).toEqual([[35, 'r', 1, { game: 1 }]])
  expect((await get('poll?room=r&since=1&wait=0')).status).toBe(204)
  const held = get('poll?room=r&since=1&wait=20')
  await vi.waitFor(() => expect(engine.reads).toHaveLength(3))
  const conn = engine.reads[2]?.attach?.conn ?? 0
  engine.say(engine.output('r', 3, [conn], { document: [1, 2], emits: [[37, 'r', 3, { type: 'bell' }]] }))
  expect(await read(await held)).toEqual([
    [36, 'r', 1, 3, [[['game'], 2]]],
    [37, 'r', 3, { type: 'bell' }],
  ])
})

test('SSE sends frames as events, with the seq of documents as id', async () => {
  const seated = await seat()
  const { engine, headers } = seated
  const sse = await stream(seated, 'sse?room=r', headers)
  expect(sse.response.statusCode).toBe(200)
  expect(sse.response.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  await sse.got(1)
  expect(sse.state.text.startsWith(':')).toBe(true)
  const conn = engine.reads[0]?.attach?.conn ?? 0
  engine.say(engine.output('r', 2, [conn], { document: [1, 2], emits: [[37, 'r', 2, { type: 'bell' }]] }))
  expect(await sse.got(3)).toEqual([
    { id: '1', frame: [35, 'r', 1, { game: 1 }] },
    { id: '2', frame: [36, 'r', 1, 2, [[['game'], 2]]] },
    { id: undefined, frame: [37, 'r', 2, { type: 'bell' }] },
  ])
})
