import { connect, type Session } from '../../client/client.ts'
import { type Readable, Store } from '../../client/store.ts'
import { recall, remember } from './remembered.ts'
import { useStore } from './store.ts'

/** A request that has no answer for this long is given up, and the player is told. */
const DEADLINE_MS = 60_000
const KEY = 'player'

/** What a reload needs to go on as the same player in the same session. */
interface Kept {
  readonly name: string
  readonly token: string
  readonly session: string
}

/**
 * This tab's player: one guest and one session, kept in the tab's storage, so that a reload goes on as the same player and
 * another tab is somebody else. Another name is another guest.
 */
class Tab {
  readonly #session = new Store<Session | null>(null)
  #name: string | null = null

  get session(): Readable<Session | null> {
    return this.#session
  }

  /** The name under which this tab plays, or played before it was loaded again. */
  get name(): string | null {
    return this.#name ?? kept()?.name ?? null
  }

  /** The session of the player called `name`: the open one, the one from before, or a new guest's. */
  open(name: string): Session {
    const open = this.#session.current
    if (open !== null && this.#name === name && open.state.current.status !== 'closed') return open
    open?.close()
    this.#name = name
    const before = kept()
    if (before?.name === name) {
      return this.#start(connect({ url: location.origin, token: before.token, session: before.session, ...PATIENT }))
    }
    const session = this.#start(connect({ url: location.origin, guest: name, ...PATIENT }))
    session.state.subscribe((state) => {
      const isWithoutGuests =
        state.status === 'closed' &&
        state.why === 'refused' &&
        state.error.code === 'forbidden' &&
        session.player === null
      if (isWithoutGuests && this.#session.current === session) {
        // No guests here: then this is a site with players of its own, and its cookie says who this is.
        this.#start(connect({ url: location.origin, ...PATIENT }))
      }
    })
    return session
  }

  /** The same, once the server knows the player. Rejects with MadangError. */
  async enter(name: string): Promise<Session> {
    const session = this.open(name)
    return session.ready.then(
      () => session,
      async (error: unknown) => {
        const instead = this.#session.current
        if (instead === null || instead === session) throw error
        await instead.ready
        return instead
      },
    )
  }

  /** Ends the connection; the player stays this tab's, and `open` goes on. */
  close(): void {
    this.#session.current?.close()
    this.#session.set(null)
  }

  /** Ends the connection, and forgets the player: the next `open` is a new guest. */
  forget(): void {
    this.close()
    this.#name = null
    remember('tab', KEY, null)
  }

  #start(session: Session): Session {
    this.#session.set(session)
    const name = this.#name ?? ''
    session.ready.then(
      () => {
        const { token } = session
        if (token !== null) remember('tab', KEY, JSON.stringify({ name, token, session: session.id } satisfies Kept))
      },
      () => {},
    )
    return session
  }
}

const PATIENT = { deadline: DEADLINE_MS }

const kept = (): Kept | null => {
  try {
    const value: unknown = JSON.parse(recall('tab', KEY) ?? 'null')
    return isKept(value) ? value : null
  } catch {
    return null
  }
}

const isKept = (value: unknown): value is Kept =>
  typeof value === 'object' &&
  value !== null &&
  ['name', 'token', 'session'].every((key) => typeof Reflect.get(value, key) === 'string')

export const tab = new Tab()

export const useTabSession = (): Session | null => useStore(tab.session)
