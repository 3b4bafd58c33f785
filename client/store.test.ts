import { afterEach, expect, test, vi } from 'vitest'
import { Emitter, Store } from './store.ts'

afterEach(() => vi.unstubAllGlobals())

test('a listener that throws is heard of on its own, and keeps no other from being called', () => {
  const thrown: (() => void)[] = []
  vi.stubGlobal('queueMicrotask', (task: () => void) => thrown.push(task))
  const store = new Store(1)
  const heard: number[] = []
  store.subscribe(() => {
    throw new Error('in a listener')
  })
  store.subscribe((value) => heard.push(value))
  store.set(2)
  expect(heard).toEqual([2])
  expect(thrown).toHaveLength(1)
  expect(thrown[0]).toThrow('in a listener')
})

test('the same listener may be added twice, and each ending ends one', () => {
  const store = new Store('a')
  let calls = 0
  const listener = (): void => {
    calls++
  }
  const end = store.subscribe(listener)
  store.subscribe(listener)
  store.set('b')
  end()
  end()
  store.set('c')
  store.set('c')
  expect(calls).toBe(3)
})

test('a listener that is ended by another during an event is still told of that one, not of the next', () => {
  const events = new Emitter<{ tick: [n: number] }>()
  const heard: number[] = []
  events.on('tick', () => end())
  const end = events.on('tick', (n) => heard.push(n))
  events.emit('tick', 1)
  events.emit('tick', 2)
  expect(heard).toEqual([1])
})
