import { expect, test } from 'vitest'
import { localBus } from '../../bus/local.ts'
import type { Item } from '../../bus/messages.ts'
import { gatewaySubject } from '../../bus/subjects.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { Outbox } from './outbox.ts'

const told = (id: number): Item => ({ kind: 'told', id, value: { games: [] } })

/** An outbox, and what reaches `g1` and `g2`: each envelope's number, and the ids of what is in it. */
const rig = () => {
  const clock = virtualClock()
  const bus = localBus()
  const began: string[] = []
  const outbox = new Outbox('engine-1', bus, clock, (gateway) => began.push(gateway))
  const read: Record<string, [number: number, ...ids: number[]][]> = { g1: [], g2: [] }
  for (const [gateway, envelopes] of Object.entries(read))
    bus.subscribe(gatewaySubject(gateway), (message) => {
      if (message.kind !== 'envelope') return
      envelopes.push([message.number, ...message.items.map((item) => ('id' in item ? item.id : 0))])
    })
  return { clock, outbox, began, read }
}

test('what is sent in one turn leaves as one envelope, and its number is repeated twice a second', async () => {
  const { clock, outbox, began, read } = rig()
  outbox.send('g1', told(1))
  outbox.send('g1', told(2))
  outbox.send('g2', told(3))
  await clock.advance(0)
  outbox.send('g1', told(4))
  await clock.advance(1_000)
  expect(read).toEqual({
    g1: [[1, 1, 2], [2, 4], [2], [2]],
    g2: [[1, 3], [1], [1]],
  })
  expect(began).toEqual(['g1', 'g2'])
})

test('P5 a stream that has ended costs nothing more, and what was about to leave with it is lost', async () => {
  const { clock, outbox, read } = rig()
  outbox.send('g1', told(1))
  await clock.advance(0)
  outbox.send('g1', told(2))
  outbox.end('g1')
  await clock.advance(60_000)
  expect(read.g1).toEqual([[1, 1]])
  outbox.end('g1')
  outbox.end('nobody')
})

test('P3 a stream that begins anew shows a hole, whether first by its number or by what it carries', async () => {
  const { clock, outbox, began, read } = rig()
  outbox.send('g1', told(1))
  await clock.advance(0)
  outbox.send('g1', told(2))
  outbox.end('g1')
  outbox.greet('g1')
  await clock.advance(0)
  expect(read.g1).toEqual([[1, 1], [2]])
  outbox.end('g1')
  outbox.send('g1', told(3))
  await clock.advance(0)
  expect(read.g1?.at(-1)).toEqual([4, 3])
  // One that is new begins where nothing ended above: it has read nothing.
  outbox.send('g2', told(4))
  await clock.advance(0)
  expect(read.g2).toEqual([[4, 4]])
  expect(began).toEqual(['g1', 'g1', 'g1', 'g2'])
})

test('a greeting repeats the number of a stream that goes on, and ends nothing', async () => {
  const { clock, outbox, began, read } = rig()
  outbox.send('g1', told(1))
  await clock.advance(0)
  outbox.greet('g1')
  outbox.send('g1', told(2))
  await clock.advance(0)
  expect(read.g1).toEqual([[1, 1], [1], [2, 2]])
  expect(began).toEqual(['g1'])
})
