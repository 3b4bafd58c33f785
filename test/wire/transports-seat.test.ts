import { expect, test } from 'vitest'
import { newCaller } from './caller.ts'
import { programOfThisFile } from './program.ts'
import { dig, patched } from './raw.ts'

const { url } = await programOfThisFile('--rate', '500')

test('P4 private: a spectator’s stream shows what the player may see once the seat is taken over HTTP, and the others’ streams nothing of it', async () => {
  const [host, ...others] = await Promise.all(['Ann', 'Bob', 'Cho', 'Dan'].map((name) => newCaller(url, name)))
  if (!host) throw new Error('nobody')
  const [eve, watcher] = [await newCaller(url, 'Eve'), await newCaller(url, 'Wat')]
  const room = await host.create('mafia')
  for (const each of [host, ...others]) await each.ok(3, room)
  for (const each of [eve, watcher]) await each.ok(3, room, { role: 'spectator' })
  const streams = { eve: await eve.stream(room), watcher: await watcher.stream(room) }
  expect(await eve.ok(3, room, { role: 'player' })).toMatchObject({ role: 'player' })
  await host.ok(7, room, 'start')
  const shown = async (stream: typeof streams.eve) => {
    let document: unknown = null
    while (dig(document, 'game', 'phase') !== 'night') {
      const [op, , , , ops] = await stream
        .next(() => true, 'the night')
        .then((frame) => {
          if (frame[0] === 35) document = frame[3]
          return frame
        })
      if (op === 36) document = patched(document, ops)
    }
    return dig(document, 'game')
  }
  const [state] = (await eve.poll(room, 0, 0)) ?? []
  expect(await shown(streams.eve)).toEqual(dig(state, 3, 'game'))
  expect(['mafia', 'citizen']).toContain(dig(state, 3, 'game', 'role'))
  expect(await shown(streams.watcher)).toMatchObject({ role: null, mafia: null, votes: null })
  for (const stream of Object.values(streams)) stream.leave()
})
