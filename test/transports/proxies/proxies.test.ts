import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { until } from '../../program.ts'
import { Dice } from '../../sim/dice.ts'
import { backend } from './backend.ts'
import { buffering } from './buffering.ts'
import { delaying } from './delaying.ts'
import { idleCut } from './idle-cut.ts'
import { lossy } from './lossy.ts'
import type { Middlebox } from './middlebox.ts'
import { stripUpgrade } from './strip-upgrade.ts'
import { swallowUpgrade } from './swallow-upgrade.ts'

const server = await backend()
afterAll(() => server[Symbol.asyncDispose]())

/** Each on a connection of its own. Rejects where it is lost. */
const echo = async (proxy: Middlebox, body: string): Promise<string> => {
  const asked = request(`${proxy.url}/echo`, { method: 'POST', agent: false })
  // After the head, a lost connection shows in the body.
  asked.on('error', () => {})
  asked.end(body)
  const [answer] = await once(asked, 'response')
  return text(answer)
}

const openSocket = ({ url }: Middlebox): WebSocket => {
  const socket = new WebSocket(url.replace('http', 'ws'))
  socket.on('error', () => {})
  return socket
}

/** What a WebSocket through the proxy comes to: its echo, or the status that it was refused with. */
const upgraded = async (proxy: Middlebox, word: string): Promise<string> => {
  const socket = openSocket(proxy)
  const refused = once(socket, 'unexpected-response').then(([, { statusCode }]) => `refused with ${statusCode}`)
  const echoed = once(socket, 'open').then(async () => {
    socket.send(word)
    const [bytes] = await once(socket, 'message')
    return String(bytes)
  })
  refused.catch(() => {})
  echoed.catch(() => {})
  const outcome = await Promise.race([refused, echoed])
  socket.terminate()
  return outcome
}

/** Opens `/stream`; `heard` grows with what arrives. */
const listen = async ({ url }: Middlebox) => {
  const leaves = new AbortController()
  const before = server.streaming()
  const state = { heard: '', status: 0, over: '', leave: () => leaves.abort() }
  const decoder = new TextDecoder()
  const read = async (): Promise<void> => {
    const answer = await fetch(`${url}/stream`, { signal: leaves.signal })
    state.status = answer.status
    for await (const bytes of answer.body ?? []) state.heard += decoder.decode(bytes, { stream: true })
  }
  read().then(
    () => (state.over = 'ended'),
    () => (state.over = 'broken'),
  )
  await until(() => server.streaming() > before, 'the stream')
  return state
}

describe('proxies that read HTTP', () => {
  test('one that strips Upgrade: the server is asked without it, a WebSocket is refused, and the rest goes through as it comes', async () => {
    await using proxy = await stripUpgrade(server.port)
    const socket = openSocket(proxy)
    const refused = once(socket, 'unexpected-response')
    await until(() => server.streaming() === 1, 'the upgrade as a plain GET')
    expect(server.headers()).toHaveProperty('sec-websocket-key')
    expect(server.headers()).not.toHaveProperty('upgrade')
    await refused
    socket.terminate()
    await until(() => server.streaming() === 0, 'the end of it')
    expect(await echo(proxy, 'plain')).toBe('plain')
    const stream = await listen(proxy)
    server.say('one')
    await until(() => stream.heard === 'one\n', 'the line')
    stream.leave()
    await until(() => server.streaming() === 0, 'who leaves the proxy leaves the server')
    proxy.upgrades = 'pass'
    expect(await upgraded(proxy, 'through')).toBe('through')
    expect(proxy.asked).toBe(2)
  })

  test('one that swallows upgrades: a WebSocket gets no answer at all, also when the client goes; the rest goes through', async () => {
    await using proxy = await swallowUpgrade(server.port)
    const socket = openSocket(proxy)
    let answered = false
    for (const event of ['open', 'unexpected-response', 'close']) socket.on(event, () => (answered = true))
    await until(() => proxy.asked === 1, 'the upgrade')
    for (const word of ['one', 'two', 'three']) expect(await echo(proxy, word)).toBe(word)
    expect(answered).toBe(false)
    socket.terminate()
    proxy.upgrades = 'pass'
    expect(await upgraded(proxy, 'through')).toBe('through')
  })

  test.each([
    ['at once', 200],
    ['with the body', 0],
  ] as const)('one that buffers, the head %s: no line arrives before the end, then all', async (head, status) => {
    await using proxy = await buffering(server.port, head)
    const stream = await listen(proxy)
    server.say('one')
    server.say('two')
    await until(() => stream.status === status, 'the head')
    for (const word of ['one', 'two', 'three']) expect(await echo(proxy, word)).toBe(word)
    expect(stream).toMatchObject({ heard: '', status, over: '' })
    server.finish()
    await until(() => stream.over !== '', 'the end')
    expect(stream).toMatchObject({ heard: 'one\ntwo\n', status: 200, over: 'ended' })
  })

  test('a server that is not there is a 502', async () => {
    const gone = await backend()
    await gone[Symbol.asyncDispose]()
    await using proxy = await stripUpgrade(gone.port)
    expect((await fetch(`${proxy.url}/echo`)).status).toBe(502)
  })
})

describe('proxies that move bytes', () => {
  test('one that cuts idle connections: what says something in time stays, what is silent breaks', async () => {
    await using proxy = await idleCut(server.port, 1_000)
    expect(await echo(proxy, 'plain')).toBe('plain')
    const stream = await listen(proxy)
    const began = performance.now()
    const talk = setInterval(() => server.say('.'), 50)
    await until(() => performance.now() - began > 2_500, 'more than twice the idle time')
    expect(stream.over).toBe('')
    clearInterval(talk)
    const { cuts } = proxy
    await until(() => stream.over === 'broken', 'the cut')
    expect(proxy.cuts).toBeGreaterThan(cuts)
    await until(() => server.streaming() === 0, 'its other end')
  })

  test('one that delays: each direction takes its time, and order stays', async () => {
    await using proxy = await delaying(server.port, 60, 140)
    const socket = openSocket(proxy)
    await once(socket, 'open')
    const heard: string[] = []
    socket.on('message', (bytes) => heard.push(String(bytes)))
    const began = performance.now()
    for (const word of ['one', 'two', 'three']) socket.send(word)
    await until(() => heard.length === 3, 'the echoes')
    const took = performance.now() - began
    expect(heard).toEqual(['one', 'two', 'three'])
    expect(took).toBeGreaterThanOrEqual(199)
    const closed = once(socket, 'close')
    socket.close()
    await closed
    expect(await echo(proxy, 'x'.repeat(300_000))).toHaveLength(300_000)
  })

  test('one that loses links: at any byte, all at once when told, silently, and for as long as it refuses', async () => {
    const dice = new Dice(1, 'lossy')
    let lifetime = () => dice.between(1, 400)
    await using proxy = await lossy(server.port, () => lifetime())
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        echo(proxy, `word ${i} ${'x'.repeat(i)}`).then(
          (text) => text.length,
          () => 'lost',
        ),
      ),
    )
    expect(outcomes).toContain('lost')
    expect(proxy.lost).toBeGreaterThan(10)

    lifetime = () => Number.POSITIVE_INFINITY
    expect(await echo(proxy, 'whole')).toBe('whole')
    const cut = await listen(proxy)
    server.say('one')
    await until(() => cut.heard === 'one\n', 'the line')
    proxy.cut()
    await until(() => cut.over === 'broken', 'the cut')

    const silent = await listen(proxy)
    proxy.silence()
    server.say('two')
    server.finish()
    for (const word of ['one', 'two', 'three']) expect(await echo(proxy, word)).toBe(word)
    expect(silent).toMatchObject({ heard: '', over: '' })

    proxy.refuses = true
    await expect(echo(proxy, 'no')).rejects.toThrow()
    proxy.refuses = false
    expect(await echo(proxy, 'again')).toBe('again')
    silent.leave()
  })
})
