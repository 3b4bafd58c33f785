import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { startNats, startNatsCluster } from './nats-server.ts'
import { until } from './program.ts'

const HERE = new URL('nats-server.ts', import.meta.url).href

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a nats-server that was killed is back on its port, with its streams, after a restart', async () => {
  await using server = await startNats({ fsync: true })
  const before = await connect({ servers: server.url, reconnect: false })
  await (await jetstreamManager(before)).streams.add({ name: 'S', subjects: ['s'] })
  const { pid } = server
  await server.kill()
  await before.closed()
  expect(isAlive(pid)).toBe(false)

  await server.restart()
  const after = await connect({ servers: server.url })
  expect((await (await jetstreamManager(after)).streams.info('S')).config.name).toBe('S')
  expect(await server.ask('/jsz')).toMatchObject({ config: { sync_always: true } })
  await after.close()
})

test('a paused nats-server says nothing until it is resumed, and ends when it is stopped while paused', async () => {
  const server = await startNats()
  const client = await connect({ servers: server.url })
  await server.pause()
  const flushed = client.flush().then(() => 'answered')
  await expect(server.ask('/varz')).rejects.toThrow('timeout')
  server.resume()
  expect(await flushed).toBe('answered')
  await server.pause()
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
  await client.close()
})

test('a nats-server that cannot start says why', async () => {
  await expect(startNats({ config: 'no such thing' })).rejects.toThrow(/nats-server ended:\n.*Parse error/s)
})

test('a nats-server ends with the process that started it, however that ends', async () => {
  const source = `const { startNats } = await import(${JSON.stringify(HERE)}); console.log((await startNats()).pid); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const pid = Number(line)
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await until(() => !isAlive(pid), 'the server to end')
})

test('of three in a cluster, each stream has a leader, and another one once that was killed', async () => {
  await using cluster = await startNatsCluster()
  const client = await connect({ servers: cluster.url.split(','), reconnectTimeWait: 100 })
  await (await jetstreamManager(client)).streams.add({ name: 'S', subjects: ['s'], num_replicas: 3 })
  const first = await cluster.leader('S')
  await first.kill()
  const second = await until(
    async () => {
      const leader = await cluster.leader('S')
      return leader === first ? null : leader
    },
    'another leader',
    60_000,
  )
  expect(cluster.servers).toContain(second)
  expect(cluster.servers).toContain(await cluster.leader())
  await first.restart()
  await first.healthy()
  await client.close()
}, 180_000)
