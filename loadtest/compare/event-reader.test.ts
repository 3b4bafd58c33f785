import { expect, test } from 'vitest'
import { EventReader, type StreamEvent } from './event-reader.ts'

const STREAM =
  ': open\n\nevent: frame\nid: 7\ndata: [36,"방"]\n\n: still here\n\nevent:frame\ndata:[37]\ndata: 1\n\ndata: plain\n\nevent: frame\ndata: not yet'

test.for([1, 2, 5, 11, 500])(
  'events are read in pieces of %i bytes, comments and what has not ended are not',
  (size) => {
    const events: StreamEvent[] = []
    const reader = new EventReader((event) => events.push(event))
    const bytes = Buffer.from(STREAM)
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    expect(events).toEqual([
      { event: 'frame', data: '[36,"방"]' },
      { event: 'frame', data: '[37]\n1' },
      { event: 'message', data: 'plain' },
    ])
  },
)
