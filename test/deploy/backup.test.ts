import { expect, test } from 'vitest'
import { connect } from '../../client/client.ts'
import type tictactoe from '../../games/tictactoe/rules.ts'
import { runMadang, startMadang, temporaryFolder, until } from '../program.ts'
import { runFromDocs } from './commands.ts'

test('a folder that is backed up while games are played, lost and put back: every room of it replays', async () => {
  using folder = temporaryFolder()
  const DATA = `${folder.path}/data`
  const env = { DATA, BACKUP: `${folder.path}/backup/today` }
  const flags = ['--data', DATA, '--media-port', '0']

  const first = await startMadang(flags)
  const sessions = ['Ann', 'Bob'].map((guest) => connect({ url: first.url, guest }))
  const [ann, bob] = sessions
  if (ann === undefined || bob === undefined) throw new Error('no sessions')
  const room = await ann.join<typeof tictactoe>(await ann.create('tictactoe'))
  const other = await bob.join<typeof tictactoe>(room.id)
  await until(() => room.document.room.phase === 'playing', 'the game to begin')
  await room.move.mark({ cell: 4 })
  runFromDocs('backup', env)
  await other.move.mark({ cell: 0 })
  for (const session of sessions) session.close()
  await first.kill('SIGKILL')

  runFromDocs('restore', env)
  const found = await runMadang(['verify', '--data', DATA])
  expect(found).toMatchObject({ code: 0, stdout: '1 room, 5 events: all replay to what is stored.\n' })
  const second = await startMadang(flags)
  const carl = connect({ url: second.url, guest: 'Carl' })
  const again = await carl.join<typeof tictactoe>(room.id)
  expect(again.document.game?.cells.filter((cell) => cell !== null)).toHaveLength(1)
  carl.close()
  expect(await second.kill('SIGTERM')).toBe(0)
})
