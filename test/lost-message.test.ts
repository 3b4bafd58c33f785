import { afterAll, describe, expect, test } from 'vitest'
import type { Bus } from '../bus/bus.ts'
import { localBus } from '../bus/local.ts'
import type { Message } from '../bus/messages.ts'
import type { Room, Session } from '../client/client.ts'
import { seededChance } from '../client/testing/chance.ts'
import { memoryStorage } from '../engine/log/memory.ts'
import { Engine } from '../engine/partition/engine.ts'
import { loadGames } from '../engine/rules/load.ts'
import type tictactoe from '../games/tictactoe/rules.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'
import { settledIn, startVirtualGateway } from './virtual-gateway.ts'

/** Promise 3: a lost frame, also the last one, is made good within this time. */
const MADE_GOOD_MS = 2_000
const games = await loadGames(['games/tictactoe'])

/** A bus that loses one message: the one with this number. */
class LosingBus implements Bus {
  sent = 0
  lost: { at: number; message: Message } | null = null
  readonly #inner = localBus()
  readonly #loses: number
  readonly #clock: VirtualClock

  constructor(loses: number, clock: VirtualClock) {
    this.#loses = loses
    this.#clock = clock
  }

  publish(subject: string, message: Message): void {
    this.sent += 1
    if (this.sent === this.#loses) this.lost = { at: this.#clock.now(), message }
    else this.#inner.publish(subject, message)
  }

  subscribe(subject: string, handler: (message: Message) => void): () => void {
    return this.#inner.subscribe(subject, handler)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

interface World {
  bus: LosingBus
  /** Runs the world until the promise is settled. */
  settled<T>(promise: Promise<T>): Promise<T>
  clock: VirtualClock
  connect(name: string): Session
  close(): Promise<void>
}

const start = async (loses: number): Promise<World> => {
  const clock = virtualClock()
  const bus = new LosingBus(loses, clock)
  const chance = seededChance(7)
  const clusterKey = new Uint8Array(32)
  const engine = await Engine.startAlone({
    bus,
    storage: memoryStorage({ chance }),
    clock,
    chance,
    games,
    clusterKey,
    report: () => {},
  })
  const { sit, close } = startVirtualGateway({ id: 'g1', bus, clock, chance, clusterKey })
  return {
    bus,
    clock,
    connect: sit,
    settled: (promise) => settledIn(clock, promise),
    async close() {
      close()
      engine.abandon()
      await bus.close()
    },
  }
}

/** Plays a game in which message number `loses` is lost; gives what was lost, and how many messages there were. */
const playLosing = async (loses: number): Promise<{ lost: Message | undefined; sent: number }> => {
  const world = await start(loses)
  const { bus, clock, settled } = world
  const rooms: Room<typeof tictactoe>[] = []
  let checked = false
  /** Once the message is lost, and two seconds are over, everyone has the same document. */
  const check = async (): Promise<void> => {
    if (checked || bus.lost === null) return
    checked = true
    const waited = clock.now() - bus.lost.at
    expect(waited).toBeLessThanOrEqual(MADE_GOOD_MS)
    await clock.advance(MADE_GOOD_MS - waited)
    for (const room of rooms) expect(room.document).toEqual(rooms[0]?.document)
  }
  const act = async <T>(promise: Promise<T>): Promise<T> => {
    const value = await settled(promise)
    await check()
    return value
  }
  const sessions = ['ann', 'bob', 'cho'].map((name) => world.connect(name))
  const [ann] = sessions
  const id = await act(ann?.create('tictactoe') ?? Promise.reject(new Error('nobody there')))
  for (const session of sessions) rooms.push(await act(session.join<typeof tictactoe>(id)))
  const cells = [4, 0, 8, 2, 1, 7, 3, 5, 6]
  for (const [turn, cell] of cells.entries()) {
    const room = rooms[turn % 2]
    if (room === undefined) throw new Error('nobody there')
    await clock.runUntil(() => room.document.game?.turn === room.document.room.players[turn % 2])
    await check()
    const seq = await act(room.move.mark({ cell }))
    expect(seq).toBe(5 + turn)
  }
  await clock.advance(MADE_GOOD_MS)
  await check()
  for (const room of rooms) {
    expect(room.document.room.phase).toBe('over')
    expect(room.document).toEqual(rooms[0]?.document)
  }
  await world.close()
  return { lost: bus.lost?.message, sent: bus.sent }
}

describe('P3 ordered: any single message between gateway and engine may be lost', async () => {
  const { sent } = await playLosing(Number.POSITIVE_INFINITY)
  const kinds = new Map<string, number>()

  test.each(Array.from({ length: sent }, (_, i) => i + 1))(
    'message %i: all documents are equal within 2 s',
    async (loses) => {
      const { lost } = await playLosing(loses)
      expect(lost).toBeDefined()
      const kind = lost?.kind === 'envelope' && lost.items.length === 0 ? 'heartbeat' : (lost?.kind ?? 'nothing')
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    },
  )

  afterAll(() => {
    for (const kind of ['command', 'envelope', 'heartbeat']) expect(kinds.get(kind)).toBeGreaterThan(0)
  })
})
