import { expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { runMadang, startMadang, temporaryFolder } from '../program.ts'
import { runFromDocs } from './commands.ts'
import { beginGame } from './game.ts'

test('a folder that is backed up while games are played, lost and put back: every room of it replays', async () => {
  using folder = temporaryFolder()
  const DATA = `${folder.path}/data`
  const env = { DATA, BACKUP: `${folder.path}/backup/today` }
  const flags = ['--data', DATA, '--media-port', '0']

  const first = await startMadang(flags)
  const { ann, bob, leave } = await beginGame(first.url)
  runFromDocs('backup', env)
  await bob.move.mark({ cell: 0 })
  leave()
  await first.kill('SIGKILL')

  runFromDocs('restore', env)
  const found = await runMadang(['verify', '--data', DATA])
  expect(found).toMatchObject({ code: 0, stdout: '1 room, 5 events: all replay to what is stored.\n' })
  const second = await startMadang(flags)
  const carl = connect({ url: second.url, guest: 'Carl' })
  const again = await carl.join<typeof tictactoe>(ann.id)
  expect(again.document.game?.cells.filter((cell) => cell !== null)).toHaveLength(1)
  carl.close()
  expect(await second.kill('SIGTERM')).toBe(0)
})
