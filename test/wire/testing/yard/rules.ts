import { emit, setup } from 'xstate'
import { z } from 'zod'
import { defineGame, gameType, type PlayerId } from '../../../../engine/rules/rules.ts'

interface Yard {
  readonly present: readonly PlayerId[]
  readonly said: readonly string[]
  readonly cursed: boolean
}
type Shout = { type: 'shout'; text: string; to?: PlayerId[] }

const g = gameType<Yard>()({
  id: 'yard',
  version: 3,
  title: { en: 'Yard' },
  players: [1, 4],
  moves: {
    say: z.object({ text: z.string() }),
    shout: z.object({ text: z.string(), to: z.string().optional() }),
    stumble: z.object({}),
    curse: z.object({}),
  },
  emits: {} as Shout,
})

const machine = setup({
  types: g.types,
  actions: {
    enter: g.change('player.joined', ({ context: { present }, by }) => ({ present: [...present, by] })),
    leave: g.change('player.left', ({ context: { present }, by }) => ({ present: present.filter((p) => p !== by) })),
    say: g.change('say', ({ context: { said }, payload }) => ({ said: [...said, payload.text].slice(-5) })),
    stumble: g.change('stumble', () => {
      throw new Error('a rule that throws')
    }),
    curse: g.change('curse', () => ({ cursed: true })),
  },
}).createMachine({
  id: 'yard',
  context: ({ input: { players } }) => ({ present: players, said: [], cursed: false }),
  on: {
    'player.joined': { actions: 'enter' },
    'player.left': { actions: 'leave' },
    say: { actions: 'say' },
    shout: {
      actions: emit(({ event }): Shout => {
        const { text, to } = event.payload
        return { type: 'shout', text, ...(to === undefined ? {} : { to: [to] }) }
      }),
    },
    stumble: { actions: 'stumble' },
    curse: { actions: 'curse' },
  },
})

/** A game that outside checks need: drop-in, with channels, EMITs to some, and rules that throw. */
export default defineGame(g, machine, {
  everyone: ({ context: { present, said, cursed } }) => {
    if (cursed) throw new Error('a view that throws')
    return { present, said }
  },
  channels: {
    stroke: { maxBytes: 512, rate: 40, from: ({ context }, player) => context.present[0] === player },
    whisper: {
      maxBytes: 64,
      rate: 40,
      from: () => true,
      to: ({ context }, _player, viewer) => viewer === context.present[0],
    },
    balcony: { maxBytes: 64, rate: 40, from: () => true, to: (_s, _player, viewer) => viewer === null },
    mute: { maxBytes: 64, rate: 40 },
  },
  dropIn: true,
})
