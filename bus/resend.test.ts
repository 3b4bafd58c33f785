import { expect, test } from 'vitest'
import { virtualClock } from '../test/virtual-clock.ts'
import { resend } from './resend.ts'

const arrange = ({ giveUpMs = 10_000, most = Number.POSITIVE_INFINITY } = {}) => {
  const clock = virtualClock()
  const happened: string[] = []
  let stoodStill = 0
  const send = () => {
    happened.push('sent')
    return happened.length < most
  }
  const end = resend({ ...clock, elapsed: () => clock.elapsed() + stoodStill }, giveUpMs, send, () =>
    happened.push('given up'),
  )
  return {
    clock,
    happened,
    end,
    standStill: (ms: number) => {
      stoodStill += ms
    },
  }
}

test('sends at once, and again every second until it is ended', async () => {
  const { clock, happened, end } = arrange()
  expect(happened).toEqual(['sent'])
  await clock.advance(2_500)
  expect(happened).toEqual(['sent', 'sent', 'sent'])
  end()
  await clock.advance(10_000)
  expect(happened).toHaveLength(3)
})

test('gives up once the first is so long ago, and sends no more', async () => {
  const { clock, happened } = arrange({ giveUpMs: 3_000 })
  await clock.advance(2_999)
  expect(happened).toEqual(['sent', 'sent', 'sent'])
  await clock.advance(60_000)
  expect(happened).toEqual(['sent', 'sent', 'sent', 'given up'])
})

test('ends by itself where there is nothing left to send', async () => {
  const { clock, happened } = arrange({ most: 2 })
  await clock.advance(60_000)
  expect(happened).toEqual(['sent', 'sent'])
})

test('after the process stood still an answer that had come ends it before anything is sent again', async () => {
  const { clock, happened, end, standStill } = arrange()
  standStill(8_000)
  await clock.advance(1_000)
  expect(happened).toEqual(['sent'])
  end()
  await clock.advance(10_000)
  expect(happened).toEqual(['sent'])
})

test('after the process stood still what has no answer is sent again soon', async () => {
  const { clock, happened, standStill } = arrange()
  standStill(8_000)
  await clock.advance(1_100)
  expect(happened).toEqual(['sent', 'sent'])
})
