import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SmallMap } from './small-map.ts'

test('a SmallMap holds what a Map holds, in the same order, whatever is done to it', () => {
  const key = fc.integer({ min: 0, max: 5 })
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), key, value: fc.integer() }),
    fc.record({ do: fc.constantFrom('delete' as const, 'get' as const, 'has' as const), key }),
    fc.record({ do: fc.constant('clear' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [small, map] = [new SmallMap<number, number>(), new Map<number, number>()]
      for (const s of steps) {
        if (s.do === 'set') {
          small.set(s.key, s.value)
          map.set(s.key, s.value)
        } else if (s.do === 'clear') {
          small.clear()
          map.clear()
        } else expect(small[s.do](s.key)).toBe(map[s.do](s.key))
        expect(small.size).toBe(map.size)
        expect(small.keys()).toEqual([...map.keys()])
        expect(small.values()).toEqual([...map.values()])
      }
    }),
  )
})
