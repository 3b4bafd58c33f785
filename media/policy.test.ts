import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MediaPolicy } from '../bus/media-messages.ts'
import { difference, type Grants, grantsOf, type Publication, type Viewer } from './policy.ts'

const IDS = ['ann', 'bob', 'cyd', 'dan', '__proto__', 'constructor'] as const
const ann: Publication = { player: 'ann', kind: 'video' }
const player = (id: string): Viewer => ({ player: id, role: 'player' })
const spectator = (id: string): Viewer => ({ player: id, role: 'spectator' })

const policyOf = (rows: Record<string, { see: string[]; hear: string[] }>, players: string[]): MediaPolicy => ({
  players,
  viewers: rows,
  spectators: { see: [], hear: [] },
})

test('without a policy nobody receives anything', () => {
  expect(grantsOf(null).may(player('bob'), ann)).toBe(false)
  expect(grantsOf(null).may(spectator('bob'), ann)).toBe(false)
  expect(grantsOf(null).isSeen(ann)).toBe(false)
})

test('video goes by see and audio by hear; what is not named is denied', () => {
  const grants = grantsOf(
    policyOf({ bob: { see: ['ann'], hear: [] }, cyd: { see: [], hear: ['ann'] } }, ['ann', 'bob']),
  )
  const of = (viewer: Viewer) =>
    (['video', 'audio'] as const).filter((kind) => grants.may(viewer, { player: 'ann', kind }))
  expect(of(player('bob'))).toEqual(['video'])
  expect(of(player('cyd'))).toEqual(['audio'])
  expect(of(player('dan')), 'a viewer without a row').toEqual([])
  expect(of(player('toString')), 'a name that objects have').toEqual([])
  expect(of(spectator('bob')), 'a spectator has the row of spectators').toEqual([])
})

test('nobody receives themselves, nor somebody who is no player of the room', () => {
  const grants = grantsOf({
    players: ['ann'],
    viewers: { ann: { see: ['ann', 'bob'], hear: ['ann', 'bob'] } },
    spectators: { see: ['ann'], hear: ['ann'] },
  })
  expect(grants.may(player('ann'), ann)).toBe(false)
  expect(grants.may(player('ann'), { player: 'bob', kind: 'video' })).toBe(false)
  expect(grants.may(spectator('ann'), ann)).toBe(false)
})

/** The promise in its plainest words. */
const model = (policy: MediaPolicy | null, viewer: Viewer, { player: owner, kind }: Publication): boolean => {
  if (policy === null || viewer.player === owner || !policy.players.includes(owner)) return false
  const own = Object.entries(policy.viewers).find(([id]) => id === viewer.player)?.[1]
  const row = viewer.role === 'spectator' ? policy.spectators : own
  return (kind === 'video' ? row?.see : row?.hear)?.includes(owner) ?? false
}
const modelSeen = (policy: MediaPolicy | null, publication: Publication): boolean =>
  IDS.some((id) => model(policy, player(id), publication)) || model(policy, spectator('somebody else'), publication)

const arbitraryRow = fc.record({ see: fc.subarray([...IDS]), hear: fc.subarray([...IDS]) })
const arbitraryPolicy: fc.Arbitrary<MediaPolicy | null> = fc.option(
  fc.record({
    players: fc.subarray([...IDS]),
    viewers: fc
      .array(fc.tuple(fc.constantFrom(...IDS), arbitraryRow))
      .map((rows) => Object.fromEntries(rows) satisfies Record<string, unknown>),
    spectators: arbitraryRow,
  }),
)
const arbitraryStep = fc.oneof(
  fc.record({ is: fc.constant('policy' as const), policy: arbitraryPolicy }),
  fc.record({
    is: fc.constant('join' as const),
    player: fc.constantFrom(...IDS),
    role: fc.constantFrom('player' as const, 'spectator' as const),
  }),
  fc.record({ is: fc.constant('leave' as const), at: fc.nat() }),
  fc.record({
    is: fc.constant('produce' as const),
    player: fc.constantFrom(...IDS),
    kind: fc.constantFrom('video' as const, 'audio' as const),
  }),
  fc.record({ is: fc.constant('close' as const), at: fc.nat() }),
  fc.record({ is: fc.constant('consume' as const), at: fc.nat(), of: fc.nat() }),
)

/** What a room holds, changed only by what `difference` says. */
class Toy {
  readonly peers = new Map<string, { viewer: Viewer; shown: Set<string> }>()
  readonly tracks = new Map<string, Publication & { unseen: boolean }>()
  readonly consumers = new Map<string, { peer: string; track: string; granted: boolean }>()
  policy: MediaPolicy | null = null
  #grants: Grants = grantsOf(null)
  #ids = 0

  next(): string {
    this.#ids++
    return `id${this.#ids}`
  }

  take(policy: MediaPolicy | null): void {
    this.policy = policy
    this.#grants = grantsOf(policy)
  }

  apply(): void {
    const to = difference(this.#grants, this)
    for (const id of to.pause) this.#consumer(id).granted = false
    for (const id of to.resume) this.#consumer(id).granted = true
    for (const id of to.close) this.consumers.delete(id)
    for (const { peer, track } of to.announce) this.peers.get(peer)?.shown.add(track)
    for (const { peer, track } of to.withdraw) this.peers.get(peer)?.shown.delete(track)
    for (const id of to.hide) this.#track(id).unseen = true
    for (const id of to.unhide) this.#track(id).unseen = false
  }

  /** What is left to do. */
  get rest(): unknown[] {
    return Object.values(difference(this.#grants, this)).flat()
  }

  #consumer(id: string) {
    const consumer = this.consumers.get(id)
    if (consumer === undefined) throw new Error(`no consumer ${id}`)
    return consumer
  }

  #track(id: string) {
    const track = this.tracks.get(id)
    if (track === undefined) throw new Error(`no track ${id}`)
    return track
  }
}

const at = <T>(map: ReadonlyMap<string, T>, index: number): string | undefined => [...map.keys()][index % map.size]

test('whatever comes in whatever order, what is applied step by step is what the last policy says, and no more', () => {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 60 }), (steps) => {
      const toy = new Toy()
      for (const step of steps) {
        if (step.is === 'policy') toy.take(step.policy)
        else if (step.is === 'join') toy.peers.set(toy.next(), { viewer: step, shown: new Set() })
        else if (step.is === 'leave') toy.peers.delete(at(toy.peers, step.at) ?? '')
        else if (step.is === 'produce')
          toy.tracks.set(toy.next(), { player: step.player, kind: step.kind, unseen: false })
        else if (step.is === 'close') toy.tracks.delete(at(toy.tracks, step.at) ?? '')
        else {
          const [peer, track] = [at(toy.peers, step.at), at(toy.tracks, step.of)]
          if (peer && track) toy.consumers.set(toy.next(), { peer, track, granted: false })
        }
        toy.apply()
        expect(toy.rest, 'applied once, nothing is left to do').toEqual([])
        for (const { viewer, shown } of toy.peers.values()) {
          const granted = [...toy.tracks].filter(([, track]) => model(toy.policy, viewer, track)).map(([id]) => id)
          expect([...shown].sort()).toEqual(granted.sort())
        }
        for (const { peer, track, granted } of toy.consumers.values()) {
          const [viewer, publication] = [toy.peers.get(peer)?.viewer, toy.tracks.get(track)]
          expect(viewer && publication && model(toy.policy, viewer, publication)).toBe(granted)
        }
        for (const track of toy.tracks.values()) expect(track.unseen).toBe(!modelSeen(toy.policy, track))
      }
    }),
  )
})
