import { expect, test } from 'vitest'
import { connect } from '../client/client.ts'
import { startLink } from './faults/link.ts'
import { startNats } from './nats-server.ts'
import { freePort } from './ports.ts'
import { startMadang, temporaryFolder, until } from './program.ts'

test('a process whose NATS server is cut off from the others goes to another one by itself, and its rooms go on', async () => {
  using folder = temporaryFolder()
  await using nats = await startNats({ store: folder.path })
  await using lone = await startNats({ jetstream: false })
  await using one = await startLink(nats.port)
  await using other = await startLink(nats.port)
  const url = [one, other].map(({ port }) => `nats://127.0.0.1:${port}`).join(',')
  const adminPort = String(await freePort())
  const program = await startMadang(['--nats', url, '--roles', 'gateway,engine', '--admin-port', adminPort])
  try {
    const session = connect({ url: program.url, guest: 'Ann' })
    const id = await session.create('tictactoe')
    await session.join(id)
    const isReady = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status === 200
    expect(await isReady()).toBe(true)

    for (const link of [one, other]) {
      link.lead(lone.port)
      link.heal()
    }
    await until(() => program.output().includes('connected to NATS again'), 'the server to be another one')
    for (const link of [one, other]) link.lead(nats.port)
    await until(async () => !(await isReady()), 'the engine to reach no ledger')
    await until(isReady, 'another NATS server to be tried', 60_000)
    expect(program.output()).toContain('trying the next one')
    await (await session.join(id)).leave()
    session.close()
  } finally {
    await program.kill()
  }
}, 120_000)
