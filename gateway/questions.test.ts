import { expect, test } from 'vitest'
import type { Ask, Request, RoomListing, Told } from '../bus/messages.ts'
import { commandSubject, partitionOf } from '../bus/subjects.ts'
import { ScriptedEngine } from './testing/engine.ts'
import { rig } from './testing/rig.ts'

const listing = (room: string): RoomListing => ({ room, game: 'tictactoe', phase: 'open', players: 1, seats: 2 })
const listings = (name: string, count: number) => Array.from({ length: count }, (_, n) => listing(`${name}-${n}`))

/** Three engines, of which each tells these rooms; `engines`: how many each says there are. */
const cluster = (engines: number, lists: (RoomListing[] | null)[]) => {
  const world = rig()
  world.engine.stop()
  const told: ScriptedEngine[] = lists.map((rooms, i) => {
    const engine = new ScriptedEngine(world.bus, 'gateway-1', `engine-${i + 1}`)
    engine.onRequest = (request: Request) => {
      if (request.kind !== 'ask' || rooms === null) return
      engine.say({ kind: 'told', id: request.id, value: { rooms }, share: { engine: engine.id, engines } })
    }
    return engine
  })
  /** The rooms by name, or null while there is no answer; and why there is none. */
  const ask = (about: Ask['about'] = { type: 'rooms', game: null }) => {
    const state: { rooms: string[] | null; told: Told | null; refused: string | null } = {
      rooms: null,
      told: null,
      refused: null,
    }
    world.gateway.ask(about).then(
      (told) => {
        state.told = told
        state.rooms = 'rooms' in told ? told.rooms.map(({ room }) => room) : null
      },
      (error: Error) => {
        state.refused = error.message
      },
    )
    return state
  }
  return { ...world, engines: told, ask }
}

test('a list of rooms is whole once as many engines have told theirs as there are: each room once, every engine in turn', async () => {
  const { ask, settle, gateway } = cluster(3, [listings('a', 3), [], [listing('b-0'), listing('a-1'), listing('b-1')]])
  const asked = ask()
  await settle()
  expect(asked.rooms).toEqual(['a-0', 'b-0', 'a-1', 'a-2', 'b-1'])
  expect(gateway.held().requests).toBe(0)
})

test('an engine that says nothing holds a list up for a second, and one that is there no more not at all', async () => {
  const { ask, time, settle, gateway } = cluster(2, [listings('a', 1), null])
  const asked = ask()
  await time.advance(999)
  expect(asked.rooms).toBeNull()
  await time.advance(1)
  expect(asked.rooms).toEqual(['a-0'])
  expect(gateway.held().requests).toBe(0)
  const two = cluster(2, [listings('a', 1), listings('b', 1), null])
  const short = two.ask()
  await two.settle()
  expect(short.rooms).toEqual(['a-0', 'b-0'])
  await settle()
})

test('the largest number of engines counts: one that has not heard of the others yet ends no list', async () => {
  const { engines, ask, settle } = cluster(1, [null, null, null])
  const asked = ask()
  await settle()
  const tell = async (n: number, count: number) => {
    const engine = engines[n]
    const id = engine?.requests[0]?.id ?? 0
    engine?.say({
      kind: 'told',
      id,
      value: { rooms: [listing(`${engine.id}`)] },
      share: { engine: engine.id, engines: count },
    })
    await settle()
  }
  await tell(1, 3)
  // It is asked again after a second, and may tell twice.
  await tell(1, 3)
  await tell(0, 1)
  expect(asked.rooms).toBeNull()
  await tell(2, 2)
  expect(asked.rooms).toEqual(['engine-2', 'engine-1', 'engine-3'])
})

test('P5 a list names 200 rooms at most, of each engine its first', async () => {
  const { ask, settle } = cluster(2, [listings('a', 200), listings('b', 200)])
  const asked = ask()
  await settle()
  expect(asked.rooms).toHaveLength(200)
  expect(asked.rooms?.filter((room) => room.startsWith('b-'))).toHaveLength(100)
})

test('a list without a share is whole, and where no engine answers the asker is told so after 5 s', async () => {
  const { engines, ask, settle, time, gateway } = cluster(2, [null])
  const asked = ask()
  await settle()
  const [engine] = engines
  engine?.say({ kind: 'told', id: engine.requests[0]?.id ?? 0, value: { rooms: listings('a', 1) } })
  await settle()
  expect(asked.rooms).toEqual(['a-0'])
  const unanswered = ask()
  await time.advance(5_000)
  expect(unanswered.refused).toMatch(/no engine answered/)
  expect(gateway.held().requests).toBe(0)
})

test('what was told just before the asker gives up is the list', async () => {
  const { engines, ask, settle, time } = cluster(2, [null, null])
  const asked = ask()
  await time.advance(4_500)
  const [engine] = engines
  const [request] = engine?.requests ?? []
  const share = { engine: 'engine-1', engines: 2 }
  engine?.say({ kind: 'told', id: request?.id ?? 0, value: { rooms: listings('a', 1) }, share })
  await settle()
  expect(asked.rooms).toBeNull()
  await time.advance(500)
  expect([asked.rooms, asked.refused]).toEqual([['a-0'], null])
})

test('one room is asked of the owner of its partition alone; games of whoever answers first', async () => {
  const { bus, engines, ask, settle } = cluster(2, [null, null])
  let owners = 0
  bus.subscribe(commandSubject(partitionOf('room')), () => owners++)
  const room = ask({ type: 'room', room: 'room' })
  await settle()
  expect(owners).toBe(1)
  const [first, second] = engines
  first?.say({ kind: 'told', id: first.requests[0]?.id ?? 0, value: { room: listing('room') } })
  const games = ask({ type: 'games' })
  await settle()
  expect(owners).toBe(1)
  second?.say({ kind: 'told', id: second.requests[1]?.id ?? 0, value: { games: [] } })
  await settle()
  expect([room.told, games.told]).toEqual([{ room: listing('room') }, { games: [] }])
})
