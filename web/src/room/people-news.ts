import type { RoomDocument } from '../../../client/client.ts'
import type { Words } from '../words/words.ts'

type RoomInfo = RoomDocument['room']

/** What changed in a room beside the game, each as a sentence in whatever language. Pure. */
export const peopleNews = (before: RoomInfo, now: RoomInfo): ((words: Words) => string)[] => {
  const news: ((words: Words) => string)[] = []
  for (const [id, { name, connected }] of Object.entries(now.members)) {
    const was = before.members[id]
    if (was === undefined) news.push(({ room }) => room.joined(name))
    else if (was.connected !== connected) {
      news.push(({ room }) => (connected ? room.cameBack(name) : room.wentAway(name)))
    }
  }
  for (const [id, { name }] of Object.entries(before.members)) {
    if (now.members[id] === undefined) news.push(({ room }) => room.left(name))
  }
  const host = now.members[now.host]?.name
  if (now.host !== before.host && host !== undefined) news.push(({ talk }) => talk.host(host))
  if (before.phase === 'open' && now.phase === 'playing') news.push(({ talk }) => talk.started)
  if (before.phase !== 'over' && now.phase === 'over') news.push(({ talk }) => talk.ended)
  return news
}
