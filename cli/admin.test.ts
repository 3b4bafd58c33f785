import { request } from 'node:http'
import { createServer } from 'node:net'
import { Counter, Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { type Admin, type AdminOptions, startAdmin } from './admin.ts'
import { CannotStart } from './cannot-start.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

const start = async (options: Partial<AdminOptions> = {}): Promise<Admin> => {
  const metrics = new Registry()
  new Counter({ name: 'madang_moves_total', help: 'Moves', registers: [metrics] }).inc(3)
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    isPortGiven: true,
    token: undefined,
    isReady: () => true,
    metrics,
    status: () => ({ durability: 'memory' }),
    media: async (room) => (room === 'r1' ? { consumers: [] } : null),
    ...options,
  })
  open.push(admin)
  return admin
}

const get = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const sent = request({ port, path, headers, method, host: '127.0.0.1' }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    sent.on('error', reject).end()
  })

/** Takes a free port whose next one is free too, as far as one can tell. */
const takePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      open.push({ close: () => server.close() })
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })

test('/healthz is 200 while alive, /readyz only while ready', async () => {
  let ready = false
  const { port } = await start({ isReady: () => ready })
  expect((await get(port, '/healthz')).status).toBe(200)
  expect((await get(port, '/readyz')).status).toBe(503)
  ready = true
  expect((await get(port, '/readyz')).status).toBe(200)
})

test('/metrics is Prometheus text', async () => {
  const { port } = await start()
  expect((await get(port, '/metrics')).body).toContain('madang_moves_total 3')
  expect((await get(port, '/metrics', {}, 'POST')).status).toBe(405)
  expect((await get(port, '/elsewhere')).status).toBe(404)
})

test('/admin asks for the token where there is one', async () => {
  const { port } = await start({ token: 'right' })
  expect((await get(port, '/admin/status')).status).toBe(401)
  expect((await get(port, '/admin/status', { authorization: 'Bearer wrong' })).status).toBe(401)
  expect(await get(port, '/admin/status', { authorization: 'Bearer right' })).toMatchObject({
    status: 200,
    body: '{"durability":"memory"}\n',
  })
})

test('/admin/media/ROOM tells what a room’s video carries, or that there is none', async () => {
  const { port } = await start()
  expect(await get(port, '/admin/media/r1')).toMatchObject({ status: 200, body: '{"consumers":[]}\n' })
  expect((await get(port, '/admin/media/r2')).status).toBe(404)
  expect((await get(port, '/admin/media/')).status).toBe(404)
})

test('without a token, /admin answers local tools and no web page', async () => {
  const { port } = await start()
  expect((await get(port, '/admin/status')).status).toBe(200)
  expect((await get(port, '/admin/status', { host: `localhost:${port}` })).status).toBe(200)
  expect((await get(port, '/admin/status', { origin: 'https://evil.example' })).status).toBe(403)
  expect((await get(port, '/admin/status', { host: `rebound.example:${port}` })).status).toBe(403)
})

test('a taken default port moves on to the next free one, and says so', async () => {
  const taken = await takePort()
  const admin = await start({ port: taken, isPortGiven: false })
  expect(admin.moved).toBe(true)
  expect(admin.port).toBeGreaterThan(taken)
})

test('a taken port that was asked for is refused in one line', async () => {
  const taken = await takePort()
  const refused = start({ port: taken, isPortGiven: true })
  await expect(refused).rejects.toThrow(CannotStart)
  await expect(refused).rejects.toThrow(`port ${taken} on 127.0.0.1 is in use: choose another with --admin-port.`)
})
