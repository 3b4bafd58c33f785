import type { AnyStateMachine } from 'xstate'
import { headFaults } from './headfaults.ts'
import { machineFaults } from './machinefaults.ts'
import type { AnyGame, Face, Game, Head } from './types.ts'

/** Games that defineGame made: nothing else runs. */
const defined = new WeakSet<object>()

/**
 * Returns the game of these names, this machine and these views; pure.
 * Throws TypeError with one line for each thing that is wrong, saying what to do.
 */
export const defineGame = <
  H extends Head,
  A extends AnyStateMachine,
  P extends object,
  // biome-ignore lint/complexity/noBannedTypes: a view without `only` adds no keys, and `{}` is the type of that
  S extends object = {},
>(
  g: { readonly head: H },
  machine: A,
  face: Face<H['moves'], A, P, S>,
): Game<H, A, P, S> => {
  const faults = [...headFaults(g?.head, face), ...machineFaults(g?.head, machine, face)]
  if (faults.length > 0) throw new TypeError(faults.map((fault) => `${nameOf(g?.head)}: ${fault}`).join('\n'))
  const game = { ...g.head, machine, ...face }
  defined.add(game)
  return game
}

/** True for what defineGame returned; pure. */
export const isGame = (value: unknown): value is AnyGame =>
  typeof value === 'object' && value !== null && defined.has(value)

const nameOf = (head: Head | undefined): string => (typeof head?.id === 'string' ? head.id : 'a game')
