import { expect, test } from 'vitest'
import { ResponseReader } from './response-reader.ts'

const WIRE =
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello' +
  'HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\nA\r\n\r\ntwo\r\n0\r\n\r\n0\r\n\r\n' +
  'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'

const READ = ['200', 'hello', 'end', '204', '', 'end', '200', 'one\r\ntwo\r\n0\r\n', 'end', '403', '', 'end']

const readIn = (sizes: number): string[] => {
  const heard: string[] = []
  let body = ''
  const reader = new ResponseReader({
    head: (status) => heard.push(String(status)),
    body: (bytes) => (body += bytes.toString('latin1')),
    end() {
      heard.push(body, 'end')
      body = ''
    },
  })
  for (let at = 0; at < WIRE.length; at += sizes) reader.read(Buffer.from(WIRE.slice(at, at + sizes), 'latin1'))
  return heard
}

test.for([1, 2, 3, 7, 19, 1_000])(
  'responses with a length, in chunks and without a body are read in pieces of %i bytes',
  (size) => {
    expect(readIn(size)).toEqual(READ)
  },
)

test('what is no response, and one whose end nobody can know, are refused', () => {
  const reader = () => new ResponseReader({ head() {}, body() {}, end() {} })
  expect(() => reader().read(Buffer.from('SSH-2.0\r\n\r\n'))).toThrow('not an HTTP/1.1 response')
  expect(() => reader().read(Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\n\r\n'))).toThrow('unknown length')
})
