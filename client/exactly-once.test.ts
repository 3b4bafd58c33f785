import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OP } from '../protocol/frames.ts'
import type { Room } from './room.ts'
import { seededChance } from './testing/chance.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { type World, world } from './testing/world.ts'

/** What happens, one after the other, each `after` ms after the one before. */
type Happening = { after: number } & (
  | { what: 'move'; player: number; type: 'add' | 'hush' }
  | { what: 'cut' | 'close' | 'bye' | 'look' | 'down' | 'up' | 'forget' }
)

const after = fc.oneof(fc.nat(5), fc.nat(60), fc.nat(3_000))
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      after,
      what: fc.constant('move' as const),
      player: fc.nat(1),
      type: fc.constantFrom('add' as const, 'hush' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      after,
      what: fc.constantFrom(
        'cut' as const,
        'close' as const,
        'bye' as const,
        'look' as const,
        'down' as const,
        'up' as const,
        'forget' as const,
      ),
    }),
  },
)

const PLAYERS = ['ann', 'ben']

/** Lets it happen, and gives back what a player at the room saw and got. */
class Witness {
  readonly emits: { seq: number; part: unknown }[] = []
  readonly seqs: number[] = []
  readonly settled = new Map<number, number>()
  readonly flaws: string[] = []
  readonly room: Room<Tally>

  constructor(room: Room<Tally>, all: World) {
    this.room = room
    room.subscribe(({ seq, document }) => {
      this.seqs.push(seq)
      if (document.game?.total !== undefined && seq > all.server.seq) this.flaws.push(`${seq} is not there yet`)
    })
    room.on('emit', (event, seq) => {
      this.emits.push({ seq, part: event.part })
      const shown = all.server.log.findLast((move) => move.seq <= seq && move.type === 'add')?.seq ?? 1
      if (room.seq < shown) this.flaws.push(`EMIT of ${seq} before its document, at ${room.seq}`)
    })
  }

  move(type: 'add' | 'hush', n: number, all: World): Promise<void> {
    return this.room.move[type]({ n }).then((seq) => {
      this.settled.set(n, (this.settled.get(n) ?? 0) + 1)
      const logged = all.server.log.filter((move) => move.n === n)
      if (logged.length !== 1 || logged[0]?.seq !== seq)
        this.flaws.push(`move ${n} resolved with ${seq}, logged ${logged.length} times`)
      if (type === 'add' && this.room.seq < seq) this.flaws.push(`move ${n} resolved before the document showed it`)
    })
  }
}

const happen = ({ network, server, device }: World, what: Happening['what']): void => {
  if (what === 'cut') network.cut()
  if (what === 'close') server.closeAll(1012)
  if (what === 'bye') {
    server.say([OP.bye, 'restarting', { resume: true, retryAfter: 50 }])
    server.closeAll(1012)
  }
  if (what === 'look') device.look()
  if (what === 'forget') server.ring = server.ring === 64 ? 1 : 64
  if (what === 'down' || what === 'up') network.down = what === 'down'
}

test('P2 exactly once, P3 ordered: whatever breaks, each move takes effect once and in order, its promise settles once, and what is seen never goes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.boolean(),
      fc.array(happening, { maxLength: 60, size: 'max' }),
      async (seed, refusing, happenings) => {
        const all = world(seed)
        const { clock, server, network, connect } = all
        const draw = seededChance(seed)
        const one = (n: number): boolean => draw.uint32() % n === 0
        const witnesses: Witness[] = []
        for (const player of PLAYERS) {
          const session = connect({ token: `token-${player}`, deadline: 600_000 })
          witnesses.push(new Witness(await all.until(session.join<Tally>(ROOM)), all))
        }
        server.faults = {
          hideAnswer: () => one(8),
          refuse: () => (refusing && one(6) ? { code: one(2) ? 'unavailable' : 'rate_limited' } : null),
          lose: () => one(8),
          double: () => one(4),
        }
        const made: { by: string; n: number }[] = []
        const moves: Promise<void>[] = []
        for (const it of happenings) {
          await clock.advance(it.after)
          if (it.what !== 'move') {
            happen(all, it.what)
            continue
          }
          const n = made.length + 1
          made.push({ by: PLAYERS[it.player] ?? '', n })
          const witness = witnesses[it.player]
          if (witness) moves.push(witness.move(it.type, n, all))
        }
        server.faults = { hideAnswer: () => false, refuse: () => null, lose: () => false, double: () => false }
        network.down = false
        await all.until(Promise.all(moves), 600_000)
        // A last event that everybody must see: a lost PATCH before it shows as a gap.
        server.add('nobody', 0)
        await clock.runUntil(() => witnesses.every(({ room }) => room.seq === server.seq), 60_000)
        await clock.advance(1_000)

        for (const by of PLAYERS) {
          const logged = server.log.filter((move) => move.by === by).map(({ n }) => n)
          // One that is refused for now may be overtaken by the next.
          if (refusing) logged.sort((a, b) => a - b)
          expect(logged).toEqual(made.filter((move) => move.by === by).map(({ n }) => n))
        }
        for (const witness of witnesses) {
          expect(witness.flaws).toEqual([])
          expect(witness.room.document).toEqual(server.document)
          expect(witness.seqs).toEqual([...new Set(witness.seqs)].sort((a, b) => a - b))
          const order = witness.emits.map(({ seq, part }) => seq * 10 + Number(part))
          expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
          for (const times of witness.settled.values()) expect(times).toBe(1)
        }
        expect(witnesses.reduce((sum, { settled }) => sum + settled.size, 0)).toBe(made.length)
      },
    ),
    { numRuns: 150, endOnFailure: false },
  )
})
