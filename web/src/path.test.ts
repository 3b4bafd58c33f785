import { expect, test } from 'vitest'
import { pathOf, roomIn, routeOf } from './path.ts'

const at = (path: string) => routeOf(new URL(path, 'http://localhost'))

test('a URL names the lobby, a room with the guest it asks for, or nothing', () => {
  expect(at('/')).toEqual({ page: 'lobby' })
  expect(at('/transports')).toEqual({ page: 'transports' })
  expect(at('/play/r-1_A')).toEqual({ page: 'play', room: 'r-1_A', name: null, av: null })
  expect(at('/play/r/?name=+Ann+&av=off')).toEqual({ page: 'play', room: 'r', name: 'Ann', av: 'off' })
  expect(at('/play/r?name=&av=on')).toEqual({ page: 'play', room: 'r', name: null, av: 'on' })
  expect(at('/play/r?av=perhaps')).toEqual({ page: 'play', room: 'r', name: null, av: null })
  for (const path of ['/play', '/play/', '/play/a/b', '/play/a%20b', `/play/${'x'.repeat(65)}`, '/elsewhere'])
    expect(at(path), path).toEqual({ page: 'missing' })
})

test('the path of a room leads back to it, whatever the name', () => {
  for (const name of ['Ann', '보라', 'a&b=c?#/%', 'x y'])
    expect(at(pathOf('r', name))).toEqual({ page: 'play', room: 'r', name, av: null })
})

test('a pasted room is found in its id, its path or its link from any host, and nowhere else', () => {
  for (const text of [
    'r1',
    ' r1\n',
    '/play/r1',
    'http://192.168.0.7:3000/play/r1',
    'https://x.org/play/r1/?name=Ann#top',
  ])
    expect(roomIn(text), text).toBe('r1')
  for (const text of ['', 'two words', 'https://x.org/', 'https://x.org/play/', 'https://x.org/play/r1/more'])
    expect(roomIn(text), text).toBeNull()
})
