import type { GameLike } from '../game.ts'

interface Schema<Input> {
  readonly '~standard': { readonly types?: { readonly input: Input; readonly output: Input } | undefined }
}

/** The type of the game of the test server, as `defineGame` would have it. */
export interface Tally extends GameLike {
  readonly moves: {
    readonly add: Schema<{ n: number }>
    readonly hush: Schema<{ n: number }>
    /** Takes no payload. */
    readonly pass: Schema<undefined>
  }
  readonly everyone: () => { total: number; last: { by: string; n: number } | null }
  readonly only?: (state: never, viewer: string | null) => { secret: number }
}
