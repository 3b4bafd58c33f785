import { expect, test } from 'vitest'
import { encode } from '../../protocol/codec.ts'
import { masked } from '../bench/wire.ts'
import { transcript } from './transcript.ts'

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
const up = (bytes: string | Buffer) => ({ up: true, bytes: Buffer.from(bytes) })
const down = (bytes: string | Buffer) => ({ up: false, bytes: Buffer.from(bytes) })

test('an upgrade is shown line by line, and the messages after it with their heads and what they say', () => {
  const welcome = Buffer.concat([Uint8Array.of(0x82, 3), encode([32, 7])])
  const text = transcript({
    title: 'WebSocket',
    turns: [
      up('GET /v1/ws HTTP/1.1\r\nHost: here\r\n\r\n'),
      down('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'),
      up(masked(encode([1, { v: 1, token: TOKEN }]))),
      down(Buffer.concat([welcome, welcome])),
    ],
  })
  expect(text).toContain('→ GET /v1/ws HTTP/1.1\n→ Host: here\n→\n')
  expect(text).toContain('← Upgrade: websocket\n')
  expect(text).toMatch(/→ 82 c[0-9a-f] 00 00 00 00 92 01 82 .*…\n +\[1,\{"v":1,"token":"eyJhbGci…"\}\]/)
  expect(text.match(/← 82 03 92 20 07\n +\[32,7\]/g)).toHaveLength(2)
})

test('no token is ever printed whole, in headers or in frames', () => {
  const text = transcript({
    title: 'POST',
    turns: [
      up(
        `POST /v1/send HTTP/1.1\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n\r\n[[1,{"token":"${TOKEN}"}]]`,
      ),
      down('HTTP/1.1 204 No Content\r\n\r\n'),
    ],
  })
  expect(text).not.toContain(TOKEN.slice(0, 12))
  expect(text.match(/eyJhbGci…/g)).toHaveLength(2)
  expect(text).toContain('← HTTP/1.1 204 No Content')
})
