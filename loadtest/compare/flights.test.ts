import { expect, test } from 'vitest'
import { Flights } from './flights.ts'

const room = () => {
  const latencies: number[][] = []
  const flights = new Flights(3, (each) => latencies.push([...each]))
  for (const member of [0, 1, 2]) flights.shown(member, 10, 0)
  return { flights, latencies }
}

test('a move is done once all members have it and its answer came, and counts for the others alone', () => {
  const { flights, latencies } = room()
  flights.shown(1, 11, 107)
  flights.shown(0, 11, 103)
  flights.logged(0, 11, 100)
  expect(latencies).toEqual([])
  flights.shown(2, 11, 109)
  expect(latencies).toEqual([[7, 9]])
})

test('one document may show several moves, and one that is older than what a member holds shows nothing', () => {
  const { flights, latencies } = room()
  flights.logged(0, 11, 100)
  flights.logged(1, 12, 150)
  for (const member of [0, 1]) flights.shown(member, 11, 110)
  for (const member of [0, 1]) flights.shown(member, 12, 160)
  flights.shown(1, 11, 170)
  flights.shown(1, 12, 180)
  flights.shown(2, 12, 1_000)
  expect(latencies).toEqual([
    [10, 900],
    [10, 850],
  ])
})

test('what is forgotten is not counted when it is seen after all', () => {
  const { flights, latencies } = room()
  flights.logged(0, 11, 100)
  flights.shown(0, 11, 101)
  flights.forget()
  for (const member of [1, 2]) flights.shown(member, 11, 5_000)
  expect(latencies).toEqual([])
})
