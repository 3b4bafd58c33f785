import type { World } from '../world.ts'

/** What may be held at once for the 15 sessions of a world, of which each may have a connection that is dead and not yet missed. */
const MOST = {
  connections: 60,
  rooms: 40,
  requests: 300,
  rates: 60,
  attaching: 200,
  'messages under way': 3_000,
  'attachments of a room': 60,
}

/** P5: what gateways, bus and rooms hold now stays under what these sessions can need. */
export const checkBounded = ({ sites, bus, engines, ground: { timeline } }: World): void => {
  const below = (what: keyof typeof MOST, count: number, where: string) => {
    if (count > MOST[what]) timeline.fail('P5', null, `${where} holds ${count} ${what}: ${MOST[what]} are allowed`)
  }
  for (const { name, gateway } of sites) {
    const held = gateway.held()
    for (const what of ['connections', 'rooms', 'requests', 'rates', 'attaching'] as const)
      below(what, held[what], name)
  }
  below('messages under way', bus.size, 'the bus')
  for (const { core } of engines)
    for (const { room, attachments } of core.rooms.live())
      below('attachments of a room', attachments.size, `room ${room}`)
}
