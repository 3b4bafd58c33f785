import { expect, test } from 'vitest'
import type { Message } from '../bus/messages.ts'
import { virtualClock } from '../test/virtual-clock.ts'
import { createCounters } from './counters.ts'
import { Requests } from './requests.ts'

const arrange = () => {
  const clock = virtualClock()
  let stoodStill = 0
  const sent: Message[] = []
  const bus = {
    publish: (_subject: string, message: Message) => void sent.push(message),
    subscribe: () => () => {},
    close: async () => {},
  }
  const requests = new Requests(bus, { ...clock, elapsed: () => clock.elapsed() + stoodStill }, createCounters())
  const id = requests.open({
    subject: 'cmd.1',
    message: (id) => ({ kind: 'ask', gateway: 'g', id, about: { type: 'games' } }),
    onReply: () => true,
    onGiveUp: () => {},
    giveUpMs: 10_000,
  })
  return {
    clock,
    sent,
    hear: () => requests.reply({ kind: 'told', id, value: { games: [] } }),
    standStill: (ms: number) => {
      stoodStill += ms
    },
  }
}

test('a request is sent again every second until it is answered', async () => {
  const { clock, sent, hear } = arrange()
  await clock.advance(2_500)
  expect(sent).toHaveLength(3)
  hear()
  await clock.advance(5_000)
  expect(sent).toHaveLength(3)
})

test('after the process stood still an answer that had come is heard before anything is sent again', async () => {
  const { clock, sent, hear, standStill } = arrange()
  standStill(8_000)
  await clock.advance(1_000)
  expect(sent).toHaveLength(1)
  hear()
  await clock.advance(5_000)
  expect(sent).toHaveLength(1)
})

test('after the process stood still a request that has no answer is sent again soon', async () => {
  const { clock, sent, standStill } = arrange()
  standStill(8_000)
  await clock.advance(1_100)
  expect(sent).toHaveLength(2)
})
