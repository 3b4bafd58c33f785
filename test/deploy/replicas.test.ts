import { expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { startMadang } from '../program.ts'
import { runFromDocs } from './commands.ts'
import { natsEnvironment, startDeployed } from './nats.ts'

const passwords = natsEnvironment('', '', [])

test('an installation with one copy of everything is given three, and its rooms go on', async () => {
  await using nats = await startDeployed('r3-node.conf')
  const start = (durability: string) =>
    startMadang(['--nats', nats.url, '--nats-user', 'engine', '--durability', durability, '--media-port', '0'], {
      env: { MADANG_NATS_PASSWORD: passwords.NATS_ENGINE_PASSWORD },
    })
  const first = await start('jetstream-r1')
  const ann = connect({ url: first.url, guest: 'Ann' })
  const id = await ann.create('tictactoe')
  ann.close()
  expect(await first.kill('SIGTERM')).toBe(0)
  await expect(start('jetstream-r3')).rejects.toThrow(/keeps 1 copies and 3 are asked for/)

  const { NATS_OPERATOR_PASSWORD: NATS_PASSWORD } = passwords
  runFromDocs('replicas', { NATS_URL: nats.url, NATS_USER: 'operator', NATS_PASSWORD })
  const second = await start('jetstream-r3')
  const bob = connect({ url: second.url, guest: 'Bob' })
  expect((await bob.join<typeof tictactoe>(id)).document.room.game).toBe('tictactoe')
  bob.close()
  expect(await second.kill('SIGTERM')).toBe(0)
})
