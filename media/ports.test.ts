import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { freePort } from '../test/ports.ts'
import { openWebRtc } from './link.ts'
import { portProblem } from './ports.ts'
import { Client } from './testing/client.ts'
import { playerOf } from './testing/engine.ts'
import { endAll, startNode } from './testing/node.ts'

const IP = '127.0.0.1'
const SOON = { timeout: 20_000 }
const held: (() => void)[] = []
afterEach(async () => {
  await endAll()
  for (const release of held.splice(0)) release()
})

const holdUdp = (port: number): Promise<void> => {
  const socket = createSocket('udp4')
  held.push(() => socket.close())
  return new Promise((resolve) => socket.bind(port, IP, resolve))
}
const holdTcp = (port: number): Promise<void> => {
  const server = createServer()
  held.push(() => server.close())
  return new Promise((resolve) => server.listen(port, IP, resolve))
}

const ICE_SERVERS = [{ urls: 'turn:turn.example.com', username: 'u', credential: 'c' }]
const Joined = z.object({
  iceServers: z.unknown(),
  receive: z.object({
    iceCandidates: z.array(z.object({ address: z.string(), protocol: z.string(), port: z.number() })),
  }),
})
/** Where a client is told to send to. */
const candidates = async (listen: { port: number; isPortGiven: boolean; announce: string | null }) => {
  const { engine } = startNode({ listen: { ip: IP, ...listen }, iceServers: ICE_SERVERS, openLink: openWebRtc })
  const answer = await new Client(engine, playerOf('ann')).call('join')
  const { receive, iceServers } = Joined.parse(answer)
  return { told: receive.iceCandidates, iceServers }
}

test('a port is free where nobody has it, over UDP or TCP', async () => {
  const port = await freePort()
  expect(await portProblem(IP, port)).toBe(null)
  await holdUdp(port)
  expect(await portProblem(IP, port)).toBe('EADDRINUSE')
  const other = await freePort()
  await holdTcp(other)
  expect(await portProblem(IP, other)).toBe('EADDRINUSE')
  expect(await portProblem('192.0.2.1', 0)).toBe('EADDRNOTAVAIL')
})

test('any port: one that is taken over TCP is not one of them', async () => {
  for (let i = 0; i < 500; i++) await holdTcp(0)
  const problems = new Set<string | null>()
  for (let i = 0; i < 400; i++) problems.add(await portProblem(IP, 0))
  expect([...problems]).toEqual([null])
})

test('clients are told one port over UDP and TCP at the address that is announced, and the servers for ICE', async () => {
  const port = await freePort()
  const { told, iceServers } = await candidates({ port, isPortGiven: true, announce: 'media.example.com' })
  expect(iceServers).toEqual(ICE_SERVERS)
  expect(told.map(({ protocol }) => protocol)).toEqual(['udp', 'tcp'])
  for (const each of told) expect(each).toMatchObject({ address: 'media.example.com', port })
})

test('where the default port is taken media takes a free one, and goes on', async () => {
  const port = await freePort()
  await holdTcp(port)
  const { told } = await candidates({ port, isPortGiven: false, announce: null })
  expect(new Set(told.map((each) => each.port)).size).toBe(1)
  expect(told[0]?.port).not.toBe(port)
})

test('where a port that was asked for is taken the node says that it failed, and starts once it is free', async () => {
  const port = await freePort()
  await holdUdp(port)
  const listen = { ip: IP, port, isPortGiven: true, announce: null }
  const { engine, node } = startNode({ listen, openLink: openWebRtc })
  const ann = playerOf('ann')
  expect(await engine.call(ann, 'join')).toMatchObject({ refused: { code: 'unavailable' } })
  await vi.waitFor(() => expect(engine.beats.at(-1)?.problem).toContain('address already in use'), SOON)
  expect(node.counts().failed).toBe(1)
  for (const release of held.splice(0)) release()
  await vi.waitFor(async () => expect(await engine.call(ann, 'join')).toHaveProperty('value'), SOON)
  await vi.waitFor(() => expect(engine.beats.at(-1)).toMatchObject({ state: 'ready', problem: null }), SOON)
  expect(node.counts()).toMatchObject({ workers: 1, failed: 0 })
})
