import { expect, test } from 'vitest'
import { indexRow, textOf } from './conformance-values.ts'
import { WrongSequence } from './jetstream-link.ts'
import { JetStreamPlaces, type Place } from './jetstream-places.ts'
import { writeRow } from './jetstream-rows.ts'

test('a row replaces the one that stood there when it was read, and no later one: what is refused is read and written again', async () => {
  const places = new JetStreamPlaces('', 4)
  let sequence = 7
  const asked: number[] = []
  const link = {
    last: async ({ subject }: Place) => ({ subject, sequence, body: new Uint8Array() }),
    async write(_: Place, body: Uint8Array, after?: number) {
      asked.push(after ?? -1)
      // Another engine's, between.
      if (asked.length === 1) sequence = 9
      if (asked.length > 2) throw new Error('it was written twice already')
      if (after !== sequence) throw new WrongSequence()
      sequence += 1
      expect(JSON.parse(textOf(body))).toEqual(indexRow('a'))
      return sequence
    },
    erase: () => Promise.reject(new Error('it is not over')),
  }
  await writeRow(link, places, indexRow('a'))
  expect([asked, sequence]).toEqual([[7, 9], 10])
})
