import { registerHooks } from 'node:module'
import type { LoadedGame } from '../../engine/rules/game.ts'
import { fieldsOf } from './fields.ts'
import type { StoreBreak } from './store.ts'

interface Break {
  /** What no longer holds. */
  readonly what: string
  /** A store that does wrong. */
  readonly store?: StoreBreak
  /** Games that do wrong. */
  readonly games?: (games: readonly LoadedGame[]) => LoadedGame[]
  /** Places in the sources, and what stands there instead: the program itself knows of no break. */
  readonly sources?: readonly Source[]
}

interface Source {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Shows every viewer who the mafia are. */
const leak = (game: LoadedGame): LoadedGame => {
  const { runner } = game
  if (runner.id !== 'mafia') return game
  const only: typeof runner.only = (state, viewer) => {
    const { context } = fieldsOf(runner.toPlain(state).snapshot)
    return { ...runner.only(state, viewer), mafia: fieldsOf(context).mafia }
  }
  return { ...game, runner: Object.assign(Object.create(runner), { only }) }
}

/** An engine answers also where it cannot be sure of what it owns. */
const unsure: Source = {
  file: 'engine/partition/cluster-ownership.ts',
  from: 'return !this.#isOver && this.#beats.isFresh',
  to: 'return !this.#isOver',
}
/** A gateway takes what comes from an owner that has been replaced. */
const anyEpoch: Source = {
  file: 'gateway/engines.ts',
  from: 'if (known !== undefined && epoch < known) return false',
  to: 'if (known !== undefined && epoch < known) return true',
}

/** The simulator's proof that it bites: each of these takes one thing away that a promise rests on. */
export const BREAKS: Readonly<Record<string, Break>> = {
  fence: { what: 'the store appends whatever the position that it was given', store: 'fence' },
  durability: { what: 'the store acknowledges an append before it is durable', store: 'durability' },
  dedupe: {
    what: 'the engine does not know a request that was logged before',
    sources: [
      {
        file: 'engine/room/window.ts',
        from: 'digest: number): Lookup => {',
        to: 'digest: number): Lookup => { return { known: false };',
      },
    ],
  },
  claim: {
    what: 'a new owner does not claim its rooms, so that an append of the earlier one still fits',
    sources: [{ file: 'engine/partition/claim.ts', from: 'if (!storage.exclusive) end =', to: 'if (false) end =' }],
  },
  hole: {
    what: 'the gateway takes no notice of holes in the numbers of envelopes',
    sources: [{ file: 'gateway/stream.ts', from: 'if (number > expected) this.#lose(engine)', to: '' }],
  },
  audience: {
    what: 'the room makes one audience of all players, and shows them the view of one',
    sources: [
      {
        file: 'engine/room/audiences.ts',
        from: "return this.#apart && role === 'player' ? player : null",
        to: "return this.#apart && role === 'player' ? 'p0' : null",
      },
    ],
  },
  early: {
    what: 'who reads a room or joins it is shown a commit that is on its way to the store',
    sources: [
      {
        file: 'engine/room/audiences.ts',
        from: 'return { next, documents,',
        to: 'this.#head = next; return { next, documents,',
      },
    ],
  },
  repeat: {
    what: 'a poll brings the EMITs of the seq that it goes on from once more',
    sources: [
      {
        file: 'engine/room/audiences.ts',
        from: 'this.#emitsSince(since, member)',
        to: 'this.#emitsSince(since - 1, member)',
      },
    ],
  },
  answer: {
    what: 'the SDK resolves what it asked over HTTP before its document is up to it',
    sources: [
      {
        file: 'client/transports/rooms.ts',
        from: 'channel.whenShown(shownBy(asked, frame[2]), deliver)',
        to: 'deliver()',
      },
    ],
  },
  read: { what: 'an engine answers also while it cannot be sure of what it owns', sources: [unsure] },
  epoch: {
    what: 'a new owner goes on in the epoch of the one before',
    sources: [
      {
        file: 'engine/partition/cluster-ownership.ts',
        from: 'this.#newlyOwned.set(partition, epoch)',
        to: 'this.#newlyOwned.set(partition, 1)',
      },
    ],
  },
  replaced: {
    what: 'gateways take what an owner says that has been replaced, and that answers also while it cannot be sure of what it owns',
    sources: [unsure, anyEpoch],
  },
  lease: {
    what: 'the policy at a media node holds on when its lease has ended',
    sources: [{ file: 'media/tenure.ts', from: 'this.#isLeased = false\n      this.#onEnd()', to: '' }],
  },
  beat: {
    what: 'a media node takes a lease for new that was long on its way',
    sources: [{ file: 'media/tenure.ts', from: 'this.#heartbeat.ageOf(beat)', to: '0' }],
  },
  view: { what: "a game's own view leaks who the mafia are", games: (games) => games.map(leak) },
}

/** Puts a break of the sources in place; to be called before they are loaded. Throws where the place is not there any more. */
export const breakSources = ({ sources = [] }: Break): void => {
  const byUrl = Map.groupBy(sources, ({ file }) => new URL(`../../${file}`, import.meta.url).href)
  registerHooks({
    load(loading, context, next) {
      const loaded = next(loading, context)
      const places = byUrl.get(loading)
      if (places === undefined) return loaded
      let text = String(loaded.source)
      for (const { file, from, to } of places) {
        if (text.split(from).length !== 2) throw new Error(`${file} has no single "${from}" to break`)
        text = text.replace(from, () => to)
      }
      return { ...loaded, source: text }
    },
  })
}
