import { expect, test } from 'vitest'
import { Held } from './held.ts'

test('P3 ordered: what a look was told lets go only of answers that waited when it was asked', () => {
  const held = new Held()
  const done: string[] = []
  held.add(4, () => done.push('move at 4'))
  const asked = held.end
  // The stream was faster than the look.
  held.reached(4)
  held.add(6, () => done.push('move at 6'))
  held.add(null, () => done.push('start'))
  held.known(asked, 4)
  held.release(asked)
  held.reached(5)
  expect(done).toEqual(['move at 4'])
  held.known(held.end, 7)
  held.reached(7)
  expect(done).toEqual(['move at 4', 'move at 6', 'start'])
  expect(held.size).toBe(0)
})
