import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ANSWERS_KEPT, lookUp, prune, remember, SESSIONS_KEPT, type Windows } from './window.ts'

const origin = (ref: number, session = 's', by = 'ann') => ({ by, session, ref, digest: ref * 7 })

test('P2 exactly once: whatever the order of refs, none of those logged is ever taken for new', () => {
  const refs = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 80, maxLength: 150 })
  fc.assert(
    fc.property(refs, (order) => {
      let windows: Windows = {}
      for (const ref of order) {
        // A client that keeps to the window may use this ref; any other is told so.
        if (lookUp(windows, 'ann', 's', ref, ref * 7).known !== false) continue
        windows = remember(windows, origin(ref), { ref }, 0)
        expect(lookUp(windows, 'ann', 's', ref, ref * 7)).toEqual({ known: true, value: { ref } })
        expect(lookUp(windows, 'ann', 's', ref, 1).known).toBe('conflict')
      }
      for (const ref of order) expect(lookUp(windows, 'ann', 's', ref, ref * 7).known).not.toBe(false)
      expect(windows.ann?.[0]?.answers.length ?? 0).toBeLessThanOrEqual(ANSWERS_KEPT)
    }),
  )
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
