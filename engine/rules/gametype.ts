import { assign, type EventObject } from 'xstate'
import type { StandardSchemaV1 } from './game.ts'
import { type Emit, type Events, type Head, type Input, type Moves, type NoOptions, ROOM_EVENTS } from './types.ts'

/** The part R of C, exactly: a Partial<C> alone would let a misspelt key through an arrow function. */
type PartOf<C, R> = { [P in keyof R]: P extends keyof C ? C[P] : never }

/**
 * Returns the names and types of a game whose machine has the context C; pure.
 *
 * @example
 * const g = gameType<Town>()({ id: 'mafia', version: 1, title: 'Mafia', players: [5, 12], moves: { vote: z.object({ target: z.string() }) } })
 * const machine = setup({ types: g.types, guards: { alive: g.when('vote', ({ context, by }) => context.alive.includes(by)) } })
 */
export const gameType =
  <C extends object>() =>
  <const M extends Moves, S extends StandardSchemaV1 = StandardSchemaV1<NoOptions>, X extends EventObject = Emit>(
    head: Head<M, S> & { readonly emits?: X },
  ) => {
    type ByType = Events<M>
    type E = ByType[keyof ByType & string]
    type On<K extends keyof ByType> = ByType[K] & { readonly context: C }

    /** The event with the context, where it is of this type. */
    const on = <K extends keyof ByType & string>(type: K, context: C, event: E): On<K> | undefined =>
      // TypeScript cannot narrow a mapped type by a generic key.
      event.type === type ? ({ ...event, context } as unknown as On<K>) : undefined

    /** Rules run without a compiler: a misspelt move would be a guard that is never true. */
    const known = (part: string, type: string): void => {
      const { moves } = head
      if (typeof moves !== 'object' || Object.hasOwn(moves, type) || ROOM_EVENTS.some((event) => event === type)) return
      const names = Object.keys(moves).join(', ')
      throw new TypeError(
        `g.${part}('${type}', …): "${type}" is no move and no event of the room: the moves are ${names}`,
      )
    }

    return {
      head,
      types: {} as {
        context: C
        events: E
        input: Input<StandardSchemaV1.InferOutput<S>>
        emitted: X
      },
      /** A guard for one kind of event; false for every other. */
      when: <K extends keyof ByType & string>(type: K, test: (event: On<K>) => boolean) => {
        known('when', type)
        return ({ context, event }: { context: C; event: E }): boolean => {
          const found = on(type, context, event)
          return found !== undefined && test(found)
        }
      },
      /** An assign action for one kind of event: the parts of the context that change; none for every other. */
      change: <K extends keyof ByType & string, R extends PartOf<C, R>>(type: K, change: (event: On<K>) => R) => {
        known('change', type)
        return assign<C, E, undefined, E, never>(({ context, event }): Partial<C> => {
          const found = on(type, context, event)
          // PartOf makes R a part of C; TypeScript does not see through it.
          return found === undefined ? {} : (change(found) as unknown as Partial<C>)
        })
      },
    }
  }
