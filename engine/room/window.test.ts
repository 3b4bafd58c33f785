import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ANSWERS_KEPT, lookUp, prune, remember, SESSIONS_KEPT, type Windows } from './window.ts'

const origin = (ref: number, session = 's', by = 'ann') => ({ by, session, ref, digest: ref * 7 })

test('P2 exactly once: whatever the order of refs, none of those logged is ever taken for new', () => {
  const refs = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 80, maxLength: 150 })
  fc.assert(
    fc.property(refs, (order) => {
      let windows: Windows = {}
      let taken = 0
      for (const ref of order) {
        // A client that keeps to the window may use this ref; any other is told so.
        if (lookUp(windows, 'ann', 's', ref, ref * 7).known !== false) continue
        windows = remember(windows, origin(ref), { ref }, 0)
        taken += 1
        expect(lookUp(windows, 'ann', 's', ref, ref * 7)).toEqual({ known: true, value: { ref } })
        expect(lookUp(windows, 'ann', 's', ref, 1).known).toBe('conflict')
      }
      for (const ref of order) expect(lookUp(windows, 'ann', 's', ref, ref * 7).known).not.toBe(false)
      const known = order.filter((ref) => lookUp(windows, 'ann', 's', ref, ref * 7).known === true)
      expect(known.length).toBe(Math.min(ANSWERS_KEPT, taken))
      const [window] = windows.ann ?? []
      expect((window?.answers.length ?? 0) + (window?.recent?.length ?? 0)).toBeLessThan(ANSWERS_KEPT + 8)
    }),
  )
})

test('P2 exactly once: a window that an earlier version stored, in one list, goes on as one', () => {
  const answers = Array.from({ length: 64 }, (_, i) => ({ ref: i + 1, digest: (i + 1) * 7, value: i }))
  const stored: Windows = { ann: [{ session: 's', floor: 0, highest: 64, answers, at: 0 }] }
  expect(lookUp(stored, 'ann', 's', 1, 7)).toEqual({ known: true, value: 0 })
  const windows = remember(stored, origin(65), 'new', 1)
  expect(lookUp(windows, 'ann', 's', 65, 65 * 7)).toEqual({ known: true, value: 'new' })
  expect(lookUp(windows, 'ann', 's', 2, 14)).toEqual({ known: true, value: 1 })
  expect(lookUp(windows, 'ann', 's', 1, 7).known).toBe('conflict')
})

test('P5 bounded: a player has 8 sessions, and strangers who are long silent are forgotten', () => {
  let windows: Windows = {}
  for (let n = 0; n < 20; n++) windows = remember(windows, origin(1, `s${n}`), null, n)
  expect(windows.ann?.map(({ session }) => session)).toEqual(
    Array.from({ length: SESSIONS_KEPT }, (_, i) => `s${i + 12}`),
  )
  for (let n = 0; n < 200; n++) windows = remember(windows, origin(1, 's', `p${n}`), null, 1_000)
  const later = prune(windows, (player) => player === 'ann', 1_000 + 10 * 60_000)
  expect(Object.keys(later)).toEqual(['ann'])
  expect(prune(windows, () => false, 1_000 + 10 * 60_000 - 1)).not.toHaveProperty('ann')
  expect(Object.keys(prune(windows, () => false, 1_000 + 10 * 60_000 - 1))).toHaveLength(200)
})

test('a player may have the name of something that objects have', () => {
  expect(lookUp({}, 'constructor', 's', 1, 1)).toEqual({ known: false })
  const windows = remember({}, origin(1, 's', 'constructor'), 5, 0)
  expect(lookUp(windows, 'constructor', 's', 1, 7)).toEqual({ known: true, value: 5 })
})
