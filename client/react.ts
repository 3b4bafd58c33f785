import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { PlayerId } from '../protocol/frames.ts'
import type { SessionState } from './connection.ts'
import type { DocumentOf, GameLike } from './game.ts'
import type { TransportName } from './link.ts'
import type { MediaState, OwnTrack, PlayerStream, Source } from './media/types.ts'
import type { Room, RoomView } from './room.ts'
import type { Session } from './session.ts'
import type { Readable } from './store.ts'

/** The store's value, rendered anew after each change. */
const useReadable = <T>(store: Readable<T>): T => {
  const subscribe = useCallback((changed: () => void) => store.subscribe(changed), [store])
  const current = useCallback(() => store.current, [store])
  return useSyncExternalStore(subscribe, current, current)
}

/**
 * Where the session stands.
 *
 * @example
 * const { status } = useSession(session)
 * if (status === 'reconnecting') return <p>One moment …</p>
 */
export const useSession = (session: Session): SessionState => useReadable(session.state)

/**
 * What the session runs over; null while there is no connection.
 *
 * @example
 * const transport = useTransport(session)
 * if (transport === 'poll') return <p>Your network is in the way</p>
 */
export const useTransport = (session: Session): TransportName | null => useReadable(session.transport)

/**
 * The room's document, seq, role and whether it is closed.
 *
 * @example
 * const { document, role, closed } = useRoom(room)
 */
export const useRoom = <G extends GameLike>(room: Room<G>): RoomView<G> => useReadable(room)

/** Video of a room, as it is now. */
export interface RoomMediaView {
  readonly state: MediaState
  readonly streams: ReadonlyMap<PlayerId, PlayerStream>
  readonly mine: ReadonlyMap<Source, OwnTrack>
}

/**
 * Where video stands, what one sees and hears of the others, and what one publishes.
 *
 * @example
 * const { state, streams, mine } = useRoomMedia(room)
 * return [...streams].map(([player, { stream }]) => <Tile key={player} stream={stream} />)
 */
export const useRoomMedia = <G extends GameLike>({ media }: Room<G>): RoomMediaView => {
  const state = useReadable(media.state)
  const streams = useReadable(media.streams)
  const mine = useReadable(media.mine)
  return { state, streams, mine }
}

/**
 * Who speaks and how loud, 0 to 1. It changes four times a second: use it where the ring is drawn, not where the tiles are.
 *
 * @example
 * const level = useSpeaking(room).get(player) ?? 0
 */
export const useSpeaking = <G extends GameLike>({ media }: Room<G>): ReadonlyMap<PlayerId, number> =>
  useReadable(media.speaking)

/**
 * The room's document, or what `select` takes from it: the component renders again only when that changes.
 *
 * @example
 * const cells = useDocument(room, ({ game }) => game?.cells)
 */
export function useDocument<G extends GameLike>(room: Room<G>): DocumentOf<G>
export function useDocument<G extends GameLike, T>(room: Room<G>, select: (document: DocumentOf<G>) => T): T
export function useDocument<G extends GameLike, T>(
  room: Room<G>,
  select?: (document: DocumentOf<G>) => T,
): T | DocumentOf<G> {
  const subscribe = useCallback((changed: () => void) => room.subscribe(changed), [room])
  const current = useMemo(() => {
    const selected = select && once(select)
    return () => (selected ? selected(room.document) : room.document)
  }, [room, select])
  return useSyncExternalStore(subscribe, current, current)
}

/** The same result for the same document: React compares what it reads by identity. */
const once = <D, T>(select: (document: D) => T): ((document: D) => T) => {
  let last: { document: D; value: T } | null = null
  return (document) => {
    if (last === null || last.document !== document) last = { document, value: select(document) }
    return last.value
  }
}
