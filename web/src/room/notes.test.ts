import { expect, test } from 'vitest'
import { readAudiences, readChatLine, readCount } from './notes.ts'

const line = { id: 7, from: 'ann', name: 'Ann', to: 'players', text: 'hello', at: 5 }

test('a line of chat is read as it is; one that lacks anything is none', () => {
  expect(readChatLine(line)).toEqual({ ...line, id: 'said-7' })
  for (const key of Object.keys(line)) expect(readChatLine({ ...line, [key]: null }), key).toBeNull()
  expect(readChatLine('hello')).toBeNull()
})

test('audiences and counts of any other form are nobody and none', () => {
  expect(readAudiences({ to: ['players', 3] })).toEqual(['players'])
  expect(readAudiences(null)).toEqual([])
  expect(readCount(3)).toBe(3)
  for (const note of [null, {}, -1, 'many']) expect(readCount(note)).toBe(0)
})
