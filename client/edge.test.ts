import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { edge } from './edge.ts'

let server: WebSocketServer
let url: string

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  for (const client of server.clients) client.terminate()
  server.close()
})

test('a real socket asks for madang.v1, carries binary both ways, and tells the code with which it was closed', async () => {
  server.once('connection', (socket) => {
    socket.on('message', (bytes: Buffer, isBinary) => {
      socket.send(new Uint8Array([...bytes, isBinary ? 1 : 0]))
      socket.send('text is not for us')
      socket.close(4003, `too slow for ${socket.protocol}`)
    })
  })
  const heard: unknown[] = []
  await new Promise<void>((resolve) => {
    const socket = edge.openSocket(url, {
      opened: () => {
        heard.push('opened')
        socket.send(new Uint8Array([0, 7, 8]).subarray(1))
      },
      message: (bytes) => heard.push(bytes),
      closed: (code, reason) => {
        heard.push([code, reason])
        socket.send(new Uint8Array([1]))
        resolve()
      },
    })
    expect(socket.buffered).toBe(0)
  })
  expect(heard).toEqual(['opened', new Uint8Array([7, 8, 1]), [4003, 'too slow for madang.v1']])
})

test('a socket that cannot be opened is closed with 1006', async () => {
  const closed = await new Promise((resolve) => {
    edge.openSocket('ws://127.0.0.1:1', { opened: () => {}, message: () => {}, closed: resolve })
  })
  expect(closed).toBe(1006)
})

test('a socket that is closed from here closes with the code that it was given', async () => {
  const code = new Promise((resolve) => {
    server.once('connection', (socket) => socket.once('close', resolve))
  })
  const socket = edge.openSocket(url, {
    opened: () => socket.close(4321, 'enough'),
    message: () => {},
    closed: () => {},
  })
  expect(await code).toBe(4321)
})

test('a real answer comes as it is written, in pieces, and an abort ends it for the server too', async () => {
  const gone = Promise.withResolvers<void>()
  const asked: unknown[] = []
  const http = createServer(async (request, response) => {
    const body: Buffer[] = []
    for await (const part of request) body.push(part)
    asked.push([request.method, request.headers.accept, [...Buffer.concat(body)]])
    response.on('close', gone.resolve)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'retry-after': '3' })
    response.write(':\n\n')
  })
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve)
  })
  const abort = new AbortController()
  const answer = await edge.fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body: new Uint8Array([1, 2]),
    signal: abort.signal,
  })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([200, '3'])
  const reader = answer.body?.getReader()
  expect(await reader?.read()).toMatchObject({ done: false, value: new Uint8Array([58, 10, 10]) })
  abort.abort()
  await expect(reader?.read()).rejects.toThrow()
  await gone.promise
  expect(asked).toEqual([['POST', 'text/event-stream', [1, 2]]])
  http.closeAllConnections()
  http.close()
})
