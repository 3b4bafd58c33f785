import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../test/program.ts'
import { HttpConnections } from './http-connections.ts'
import { emptyTally } from './tally.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

/** A server that answers when it is told to, and counts what goes over its sockets. */
const setUp = async () => {
  const sockets: Socket[] = []
  const waiting: Socket[] = []
  let heard = 0
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard += chunk.length
      waiting.push(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const tally = emptyTally()
  const connections = new HttpConnections((server.address() as AddressInfo).port, '127.0.0.1', tally)
  onTestFinished(() => {
    connections.close()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const done: string[] = []
  return {
    tally,
    sockets,
    waiting,
    done,
    heard: () => heard,
    send: (body: Uint8Array | null = null) =>
      connections.send(REQUEST, body, {
        head() {},
        body() {},
        end: () => done.push('ok'),
        failed: (why) => done.push(why),
      }),
    answer: async () => (await until(() => waiting.shift(), 'a request')).write(RESPONSE),
  }
}

test('requests one after another share a connection, and every byte of them is counted', async () => {
  const { tally, sockets, done, heard, send, answer } = await setUp()
  for (const count of [1, 2, 3]) {
    send(new Uint8Array(7))
    await answer()
    await until(() => done.length === count, 'the answer')
  }
  expect(sockets).toHaveLength(1)
  expect(tally).toEqual({
    connections: 1,
    messagesUp: 3,
    bytesUp: heard(),
    messagesDown: 3,
    bytesDown: 3 * RESPONSE.length,
  })
  expect(heard()).toBe(3 * (REQUEST.length + 7))
})

test('a request while another is held opens a connection; the seventh waits until one is free, as in a browser', async () => {
  const { sockets, waiting, done, send, answer } = await setUp()
  for (let n = 0; n < 7; n++) send()
  await until(() => waiting.length === 6, 'six requests')
  await answer()
  await until(() => waiting.length === 6 && done.length === 1, 'the seventh')
  expect(sockets).toHaveLength(6)
})

test('a kept connection that the server has closed costs the request nothing but another connection', async () => {
  const { tally, sockets, done, send, answer } = await setUp()
  send()
  await answer()
  await until(() => done.length === 1, 'the first answer')
  send()
  sockets[0]?.destroy()
  await until(() => sockets.length === 2, 'another connection')
  const pending = answer()
  await pending
  await until(() => done.length === 2, 'the second answer')
  expect(done).toEqual(['ok', 'ok'])
  expect(tally).toMatchObject({ connections: 2, messagesDown: 2 })
})

test('a connection that ends within a response is reported, and not asked again', async () => {
  const { sockets, waiting, done, send } = await setUp()
  send()
  const socket = await until(() => waiting.shift(), 'the request')
  socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh')
  await until(() => done.length === 1, 'the end')
  expect(done).toEqual(['the server closed the connection'])
  expect(sockets).toHaveLength(1)
})
