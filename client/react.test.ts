import { createElement, type ReactElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { useDocument, useRoom, useRoomMedia, useSession, useSpeaking, useTransport } from './react.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { world } from './testing/world.ts'

interface Props {
  session: Session
  room: Room<Tally>
}

const Table = ({ session, room }: Props): ReactElement => {
  const { status } = useSession(session)
  const transport = useTransport(session)
  const { role, seq, closed } = useRoom(room)
  // A selector that makes something new each time must not make React render for ever.
  const { total } = useDocument(room, ({ game }) => ({ total: game?.total }))
  const { phase } = useDocument(room).room
  const { state, streams, mine } = useRoomMedia(room)
  const video = [state.status, streams.size, mine.size, useSpeaking(room).size].join('/')
  return createElement('p', null, [status, transport, role, seq, total, phase, closed?.why ?? 'open', video].join(' '))
}

test('hooks read the session, the room and its document as they are', async () => {
  const { connect, until } = world()
  const session = connect()
  const room = await until(session.join<Tally>(ROOM))
  const shown = (): string => renderToStaticMarkup(createElement(Table, { session, room }))
  expect(shown()).toBe('<p>online websocket player 1 0 playing open off/0/0/0</p>')
  await until(room.move.add({ n: 4 }))
  expect(shown()).toBe('<p>online websocket player 2 4 playing open off/0/0/0</p>')
  session.close()
  expect(shown()).toBe('<p>closed  player 2 4 playing session closed off/0/0/0</p>')
})
