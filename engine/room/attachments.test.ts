import { expect, test } from 'vitest'
import { type Attachment, Attachments } from './attachments.ts'

const one = (conn: number, more: Partial<Attachment> = {}): Attachment => ({
  gateway: 'g1',
  conn,
  player: `p${conn}`,
  session: `session-of-${conn}`,
  role: 'spectator',
  ref: 1,
  as: 'socket',
  ...more,
})

test('P5 bounded: what a commit looks at does not grow with those who watch, but with players and gateways', () => {
  const attachments = new Attachments()
  for (let conn = 1; conn <= 1_000; conn++) attachments.add(one(conn, { gateway: `g${conn % 2}` }))
  attachments.add(one(2_000, { role: 'player' }))
  attachments.add(one(2_001, { role: 'player' }))
  const shown = () => [...attachments.listeners()].map(({ gateway, conn, role }) => [role, gateway, conn])
  expect(shown()).toEqual([
    ['player', 'g1', 2_000],
    ['player', 'g1', 2_001],
    ['spectator', 'g1', 1],
    ['spectator', 'g0', 2],
  ])
  expect(attachments.spectators).toBe(1_000)
  // The first of them goes: another one stands for the gateway's; with the last, the gateway is gone.
  const first = attachments.get('g1', 1)
  if (first !== undefined) attachments.remove(first)
  const [, , next] = shown()
  expect(next).not.toEqual(['spectator', 'g1', 1])
  for (const attachment of [...attachments.all()]) if (attachment.gateway === 'g1') attachments.remove(attachment)
  expect(shown()).toEqual([['spectator', 'g0', 2]])
  expect(attachments.spectators).toBe(500)
})

test('a spectator who takes a seat on the same connection is no spectator any more', () => {
  const attachments = new Attachments()
  attachments.add(one(1))
  attachments.add(one(1, { role: 'player' }))
  expect([...attachments.listeners()]).toEqual([one(1, { role: 'player' })])
  expect([attachments.size, attachments.spectators]).toEqual([1, 0])
})

test('a held poll takes the place of no other connection of its session, and gives way to a newer one', () => {
  const attachments = new Attachments()
  const [held, socket] = [one(2, { session: 's', as: 'held' }), one(3, { session: 's', player: 'p2' })]
  attachments.add(one(1, { session: 's', player: 'p2' }))
  expect(attachments.add(held)).toEqual([])
  expect(attachments.add(socket)).toEqual([one(1, { session: 's', player: 'p2' }), held])
})

test('a socket that was open before a stream of its session takes its place by joining after it', () => {
  const attachments = new Attachments()
  const mine = { session: 's', player: 'p' }
  const stream = one(2, { ...mine, as: 'stream', ref: 3 })
  attachments.add(stream)
  expect(attachments.add(one(1, { ...mine, ref: 4 }))).toEqual([stream])
})

test('a stream that a new owner took in does not give way to what its session left, and is attached after it', () => {
  const mine = { session: 's', player: 'p' }
  for (const left of [one(1, { ...mine, as: 'stream', ref: 3 }), one(1, { ...mine, ref: 3, gateway: 'g2' })]) {
    const attachments = new Attachments()
    const stream = one(2, { ...mine, as: 'stream', ref: null })
    attachments.add(stream, true)
    expect(attachments.add(left)).toEqual([])
    expect(attachments.add(one(3, { ...mine, as: 'stream', ref: null }), true)).toEqual([stream, left])
  }
})
