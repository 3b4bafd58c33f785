import { expect, test } from 'vitest'
import { EventText } from './events.ts'

const STREAM = `:\n\nevent: frame\nid: 7\ndata: {"text":"각 🙂"}\n\nevent: other\ndata: no\n\ndata: unnamed\n\nevent:frame\r\ndata:one\r\ndata: two\r\n\r\nevent: frame\n\n`

test('events of frames are read as they are, wherever the stream is cut into pieces', () => {
  const bytes = new TextEncoder().encode(STREAM)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const heard: string[] = []
    const events = new EventText((data) => heard.push(data))
    const text = events.push(bytes.slice(0, cut)) + events.push(bytes.slice(cut))
    expect(heard).toEqual(['{"text":"각 🙂"}', 'one\ntwo'])
    expect(text).toBe(STREAM)
    expect(events.buffered).toBe(0)
  }
})

test('what an event that does not end holds is known, so that it can be bounded', () => {
  const events = new EventText(() => {})
  events.push(new TextEncoder().encode('data: 1234\ndata: 56'))
  expect(events.buffered).toBe('1234'.length + 'data: 56'.length)
})
