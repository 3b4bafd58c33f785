import { expect, test } from 'vitest'
import { KeyRing } from './keyring.ts'

const store = () => {
  const fetched: string[] = []
  const key = async (player: string) => {
    fetched.push(player)
    return new TextEncoder().encode(player)
  }
  return { fetched, playerKey: key, existingKey: async (player: string) => (player === 'gone' ? null : key(player)) }
}
const chance = { uint32: () => 0, bytes: (n: number) => new Uint8Array(n) }

test('P5 bounded: the keys used longest ago leave memory; those that were just asked for are there', async () => {
  const keys = new KeyRing(store(), chance)
  for (let n = 0; n < 20_000; n++) await keys.need(`p${n}`)
  // p0 is the oldest: asking for it with a new one must not push it out.
  await keys.recall(['p0', 'new'])
  expect(keys.of('p0')).toBeDefined()
  expect(keys.of('new')).toBeDefined()
  expect(keys.of('p1')).toBeUndefined()
  expect(keys.of('p2')).toBeDefined()
})

test('a forgotten player has no key, and gets none by being recalled', async () => {
  const keys = new KeyRing(store(), chance)
  await keys.recall(['gone', 'ann'])
  expect(keys.of('gone')).toBeUndefined()
  expect(keys.of('ann')).toBeDefined()
})

test('a key is fetched once', async () => {
  const kept = store()
  const keys = new KeyRing(kept, chance)
  await keys.need('ann')
  await keys.need('ann')
  await keys.recall(['ann'])
  expect(kept.fetched).toEqual(['ann'])
})
