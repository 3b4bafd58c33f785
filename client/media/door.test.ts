import { expect, test } from 'vitest'
import { ROOM } from '../testing/server.ts'
import type { Tally } from '../testing/tally.ts'
import { refusal, world } from '../testing/world.ts'

test('a room has video that is off, and says what to do where there is no WebRTC', async () => {
  const { connect, until } = world()
  const room = await until(connect().join<Tally>(ROOM))
  expect(room.media.state.current).toEqual({ status: 'off' })
  const error = await refusal(room.media.join())
  expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching('current browser') })
  expect(room.media.state.current).toEqual({ status: 'failed', error })
})

test('video of a room that was left is refused, whatever is asked of it', async () => {
  const { connect, until } = world()
  const room = await until(connect().join<Tally>(ROOM))
  await until(room.leave())
  expect(await refusal(room.media.join())).toMatchObject({ code: 'not_member' })
  expect(await refusal(room.media.publish({}))).toMatchObject({ code: 'not_member' })
  await room.media.leave()
  expect(room.media.state.current).toEqual({ status: 'off' })
})
