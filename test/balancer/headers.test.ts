import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { balancerOfThisFile, HAPROXY } from './haproxy.ts'

interface Asked {
  readonly by: string
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

let asked: Asked[] = []
/** The status of what is answered. */
let status = 200

/** Says that it is ready, and answers everything else with `status`. */
const behind = async (by: string) => {
  const server = createServer(({ method = '', url = '', headers }, response) => {
    if (url === '/readyz') return response.end()
    asked.push({ by, method, path: url, headers })
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { port: address.port, adminPort: address.port }
}

const gateways = [await behind('one'), await behind('two')] as const
const balancer = balancerOfThisFile(() => gateways)

beforeEach(() => {
  asked = []
  status = 200
})

describe.skipIf(HAPROXY === null)('what the balancer passes on', () => {
  test('where a client comes from is what the balancer saw, and not what the client claims', async () => {
    const claims = { 'x-forwarded-for': '203.0.113.9, 198.51.100.1', 'x-forwarded-proto': 'https' }
    await fetch(`${balancer.url}/v1/games`, { headers: claims })
    await fetch(`${balancer.url}/v1/games`)
    expect(asked.map(({ headers }) => [headers['x-forwarded-for'], headers['x-forwarded-proto']])).toEqual([
      ['127.0.0.1', 'http'],
      ['127.0.0.1', 'http'],
    ])
    expect(asked.map(({ by }) => by).toSorted()).toEqual(['one', 'two'])
    expect(asked[0]?.headers.host).toBe(new URL(balancer.url).host)
  })

  test('what a draining gateway refuses is asked of another one, but for what may take effect twice', async () => {
    status = 503
    for (const [method, path, isAskedAgain] of [
      ['GET', '/v1/poll?room=R', true],
      ['POST', '/v1/send', true],
      ['POST', '/v1/rooms', false],
      ['POST', '/v1/guests', false],
    ] as const) {
      asked = []
      const body = method === 'POST' ? { body: 'x'.repeat(1_000) } : {}
      expect((await fetch(`${balancer.url}${path}`, { method, ...body })).status).toBe(503)
      expect(new Set(asked.map(({ by }) => by)).size).toBe(isAskedAgain ? 2 : 1)
      if (!isAskedAgain) expect(asked).toHaveLength(1)
    }
  })
})
