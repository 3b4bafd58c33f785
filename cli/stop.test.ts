import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Clock } from '../protocol/clock.ts'
import { onStop } from './stop.ts'

const arrange = () => {
  const source = new EventEmitter()
  const calls: (string | number)[] = []
  let now = 1_000
  const clock: Clock = { now: () => now, elapsed: () => now, after: () => () => {}, soon: () => {} }
  const stop = onStop(source, clock, { begin: () => calls.push('begin'), abort: (code) => calls.push(code) })
  const wait = (ms: number) => {
    now += ms
  }
  return { source, calls, stop, wait }
}

test('the first signal begins the end, a second one is the end', () => {
  const { source, calls, wait } = arrange()
  source.emit('SIGTERM')
  expect(calls).toEqual(['begin'])
  wait(1_000)
  source.emit('SIGINT')
  expect(calls).toEqual(['begin', 130])
})

test('one Ctrl-C that arrives three times is one', () => {
  const { source, calls, wait } = arrange()
  source.emit('SIGINT')
  source.emit('SIGINT')
  wait(5)
  source.emit('SIGINT')
  expect(calls).toEqual(['begin'])
})

test('it stops listening when told to', () => {
  const { source, stop } = arrange()
  stop()
  expect(source.eventNames()).toEqual([])
})
