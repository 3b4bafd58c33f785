import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { large } from '../bus/testing/messages.ts'
import { openEnd } from '../bus/testing/nats.ts'
import { startNats } from './nats-server.ts'
import { until } from './program.ts'

const VICTIM = new URL('nats-slow-victim.ts', import.meta.url).pathname
const MIB = 1024 * 1024
const Said = z.object({ got: z.number(), rss: z.number() })

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('who does not read what it subscribed to costs bounded memory, keeps nobody else waiting, and goes on when it reads again', async () => {
  await using server = await startNats()
  await using from = await openEnd([server])
  await using quick = await openEnd([server])
  const victim = spawn(process.execPath, [VICTIM, `127.0.0.1:${server.port}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said: z.output<typeof Said> | null = null
    createInterface({ input: victim.stdout }).on('line', (line) => {
      said = Said.parse(JSON.parse(line))
    })
    const heard = () => said
    const before = await until(heard, 'the subscriber to be there')
    let got = 0
    quick.bus.subscribe('flood', () => got++)
    await quick.link.connection.flush()

    victim.kill('SIGSTOP')
    const messages = 2_000
    for (let id = 1; id <= messages; id++) {
      from.bus.publish('flood', large(id, MIB / 4))
      await until(() => got >= id - 20, `message ${id - 20} at who reads`)
    }
    await until(() => got === messages, 'all messages at who reads')
    const { mem } = z.object({ mem: z.number() }).parse(await server.ask('/varz'))
    expect(mem, 'of 500 MB, the server keeps 64 for one that does not read').toBeLessThan(200 * MIB)

    victim.kill('SIGCONT')
    const after = await until(() => {
      from.bus.publish('flood', large(0, MIB / 4))
      const now = heard()
      return now !== null && now.got > before.got ? now : null
    }, 'it to hear again')
    expect(after.rss - before.rss).toBeLessThan(200 * MIB)
  } finally {
    victim.kill('SIGKILL')
  }
}, 180_000)

test('where the server takes nothing, what is published is dropped, not kept', async () => {
  await using server = await startNats()
  await using from = await openEnd([server])
  const before = process.memoryUsage().arrayBuffers
  await server.pause()
  for (let id = 0; id < 2_000; id++) {
    from.bus.publish('flood', large(id, MIB / 4))
    if (id % 10 === 0) await turn()
  }
  // Some of it is garbage that nobody has collected yet.
  expect(process.memoryUsage().arrayBuffers - before, 'of 500 MB').toBeLessThan(200 * MIB)
  expect(from.errors.length).toBeGreaterThan(0)
  for (const error of from.errors) expect(String(error)).toContain('too slowly')
  await server.resume()
  await using to = await openEnd([server])
  let got = 0
  to.bus.subscribe('later', () => got++)
  await until(() => {
    from.bus.publish('later', large(1, MIB / 4))
    return got > 0
  }, 'messages to flow again')
})
