import { EventReader } from './event-reader.ts'
import { HttpLink, STREAM } from './http-link.ts'
import type { Link, LinkOptions } from './link.ts'

/** The seq of a STATE `[35, room, seq, …]` or PATCH `[36, room, from, seq, …]` as JSON. */
const SEQ = /^\[3(?:5|6,"[^"]*",\d+),(?:"[^"]*",)?(\d+)/

/** JOINs by POST and opens the stream of the room; resolves with the stream's first event, or its head where `since` is the latest. */
export const openSse = async (options: LinkOptions): Promise<Link> => {
  const { seat, since, tally, on } = options
  const link = new HttpLink(options)
  await link.join()
  const reader = new EventReader(({ event, data }) => {
    tally.messagesDown += 1
    const seq = event === 'frame' ? SEQ.exec(data)?.[1] : undefined
    if (seq !== undefined) on.shown(Number(seq))
  })
  const query = since > 0 ? `&since=${since}` : ''
  link.get(
    `/v1/sse?room=${seat.room}${query}`,
    STREAM,
    (bytes) => reader.read(bytes),
    (status) => link.fail(`the stream ended (${status})`),
  )
  return link
}
