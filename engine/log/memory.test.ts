import { expect, test } from 'vitest'
import { storageConformance } from './conformance.ts'
import { testChance } from './conformance-values.ts'
import { memoryStorage } from './memory.ts'

storageConformance('memory', { open: async () => ({ storage: memoryStorage({ chance: testChance }) }) })

test('states its durability: nothing outlives the process', () => {
  expect(memoryStorage({ chance: testChance })).toMatchObject({ durability: 'memory', exclusive: true })
})
