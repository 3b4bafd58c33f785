import { expect, test } from 'vitest'
import { Attendance } from './attendance.ts'

const beat = (attendance: Attendance<string>): string[] => {
  attendance.sent()
  return attendance.returned()
}

test('a peer is gone with the fourth own beat that comes back after its last sign: after 3 s, and once', () => {
  const attendance = new Attendance<string>()
  expect(attendance.heard('a')).toBe(true)
  expect(attendance.heard('a')).toBe(false)
  for (let n = 0; n < 3; n++) expect(beat(attendance)).toEqual([])
  attendance.heard('b')
  expect(beat(attendance)).toEqual(['a'])
  expect([attendance.has('a'), attendance.has('b'), attendance.size]).toEqual([false, true, 1])
  for (let n = 0; n < 2; n++) expect(beat(attendance)).toEqual([])
  expect(attendance.heard('a')).toBe(true)
  expect(beat(attendance)).toEqual(['b'])
})

test('where own beats do not come back nobody is gone, and what was counted before counts no more', () => {
  const attendance = new Attendance<string>()
  attendance.heard('a')
  for (let n = 0; n < 3; n++) beat(attendance)
  for (let n = 0; n < 100; n++) attendance.sent()
  expect(attendance.returned()).toEqual([])
  for (let n = 0; n < 2; n++) expect(beat(attendance)).toEqual([])
  expect(beat(attendance)).toEqual(['a'])
})

test('doubles of own beats, and those that come all at once after a pause, count as one', () => {
  const attendance = new Attendance<string>()
  attendance.heard('a')
  attendance.sent()
  for (let n = 0; n < 10; n++) expect(attendance.returned()).toEqual([])
  expect(attendance.has('a')).toBe(true)
})
