import type { Ask, Command } from '../messages.ts'

export const ask = (id: number): Ask => ({ kind: 'ask', gateway: 'g', id, about: { type: 'games' } })

/** One that carries so many bytes, each of them its id. */
export const large = (id: number, bytes: number): Command => ({
  kind: 'command',
  gateway: 'g',
  id,
  room: 'r',
  conn: null,
  player: { id: 'ann', name: '안나' },
  session: 'session-of-sixteen',
  frames: [new Uint8Array(bytes).fill(id)],
})
