import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OP } from '../protocol/frames.ts'
import { PROPERTY_TEST_MS, TOLD_WITH_SEED } from '../test/property.ts'
import { TRANSPORTS, type TransportName } from './link.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import { seededChance } from './testing/chance.ts'
import { ROOM } from './testing/server.ts'
import type { Tally } from './testing/tally.ts'
import { type World, world } from './testing/world.ts'

/** What happens, one after the other, each `after` ms after the one before. */
type Happening = { after: number } & (
  | { what: 'move'; player: number; type: 'add' | 'hush' }
  | { what: 'cut' | 'close' | 'bye' | 'look' | 'down' | 'up' | 'forget' }
  | { what: 'use'; player: number; transport: TransportName }
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

const happen = ({ network, server, http, device }: World, what: Happening['what']): void => {
  if (what === 'cut') network.cut()
  if (what === 'close') server.closeAll(1012)
  if (what === 'bye') {
    http.bye('restarting', { resume: true, retryAfter: 50 })
    server.say([OP.bye, 'restarting', { resume: true, retryAfter: 50 }])
    server.closeAll(1012)
  }
  if (what === 'look') device.look()
  if (what === 'forget') server.ring = server.ring === 64 ? 1 : 64
  if (what === 'down' || what === 'up') network.down = what === 'down'
}

interface Play {
  readonly seed: number
  readonly refusing: boolean
  readonly happenings: readonly Happening[]
  readonly transports: readonly TransportName[]
}

/** Plays it through, and checks what everybody saw and got. */
const play = async ({ seed, refusing, happenings, transports }: Play): Promise<void> => {
  const all = world(seed)
  const { clock, server, http, network, connect } = all
  const draw = seededChance(seed)
  const one = (n: number): boolean => draw.uint32() % n === 0
  const losing = one(2)
  const witnesses: Witness[] = []
  const sessions: Session[] = []
  for (const [i, player] of PLAYERS.entries()) {
    const transport = transports[i] ?? 'websocket'
    const session = connect({ token: `token-${player}`, deadline: 600_000, transport, pollInterval: 250 })
    sessions.push(session)
    witnesses.push(new Witness(await all.until(session.join<Tally>(ROOM)), all))
  }
  server.faults = {
    hideAnswer: () => one(8),
    refuse: () => (refusing && one(6) ? { code: one(2) ? 'unavailable' : 'rate_limited' } : null),
    lose: () => losing && one(8),
    double: () => one(4),
  }
  http.faults = {
    refuse: () => (refusing && one(12) ? { status: one(2) ? 503 : 429, ...(one(2) ? { retryAfter: 1 } : {}) } : null),
  }
  network.proxy = { ...network.proxy, loses: () => one(8) }
  const made: { by: string; n: number }[] = []
  const moves: Promise<void>[] = []
  for (const it of happenings) {
    await clock.advance(it.after)
    if (it.what === 'use') void sessions[it.player]?.use(it.transport).catch(() => {})
    else if (it.what !== 'move') happen(all, it.what)
    else {
      const n = made.length + 1
      made.push({ by: PLAYERS[it.player] ?? '', n })
      const witness = witnesses[it.player]
      if (witness) moves.push(witness.move(it.type, n, all))
    }
  }
  server.faults = { hideAnswer: () => false, refuse: () => null, lose: () => false, double: () => false }
  http.faults = { refuse: () => null }
  network.proxy = { ...network.proxy, loses: () => false }
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
    // Unless a STATE took the place of what was missed.
    const wiped = losing || happenings.some(({ what }) => what === 'forget')
    if (!wiped) expect(order).toEqual(server.log.flatMap(({ seq }) => [seq * 10 + 1, seq * 10 + 2]))
    for (const times of witness.settled.values()) expect(times).toBe(1)
  }
  expect(witnesses.reduce((sum, { settled }) => sum + settled.size, 0)).toBe(made.length)
  for (const session of sessions) session.close()
  await clock.advance(100)
  expect({ timers: clock.timers, connections: network.connections }).toEqual({ timers: 0, connections: 0 })
}

const scripts = fc.array(happening, { maxLength: 60, size: 'max' })

test.each(TRANSPORTS)(
  'P2 exactly once, P3 ordered over %s: whatever breaks, each move takes effect once and in order, its promise settles once after its document, and what is seen never goes back',
  async (transport) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), scripts, (seed, refusing, happenings) =>
        play({ seed, refusing, happenings, transports: [transport, transport] }),
      ),
      { numRuns: 150, endOnFailure: false, ...TOLD_WITH_SEED },
    )
  },
  PROPERTY_TEST_MS,
)

const pairs = TRANSPORTS.flatMap((one) =>
  TRANSPORTS.filter((other) => other !== one).map((other) => [one, other] as const),
)

const playSwitching = (
  transports: readonly TransportName[],
  first: readonly TransportName[],
  numRuns: number,
): Promise<void> => {
  const any = fc.constantFrom(...first)
  const switching: fc.Arbitrary<Happening> = fc.record({
    after,
    what: fc.constant('use' as const),
    player: fc.nat(1),
    transport: fc.constantFrom(...transports),
  })
  const both = fc.oneof({ weight: 3, arbitrary: happening }, { weight: 1, arbitrary: switching })
  const scripts = fc.array(both, { maxLength: 60, size: 'max' })
  return fc.assert(
    fc.asyncProperty(fc.nat(), fc.boolean(), scripts, any, any, (seed, refusing, happenings, ann, ben) =>
      play({ seed, refusing, happenings, transports: [ann, ben] }),
    ),
    { numRuns, endOnFailure: false, ...TOLD_WITH_SEED },
  )
}

test.each(pairs)(
  'the same while players change from %s to %s and back again and again',
  async (from, to) => {
    await playSwitching([from, to], [from], 40)
  },
  PROPERTY_TEST_MS,
)

test(
  'the same while players change between all transports',
  async () => {
    await playSwitching(TRANSPORTS, TRANSPORTS, 150)
  },
  PROPERTY_TEST_MS,
)
