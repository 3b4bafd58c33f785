import { fileURLToPath } from 'node:url'
import { type ConnectOptions, connect, type Room, type Session, type TransportName } from '../../client/client.ts'
import type { GameLike } from '../../client/game.ts'
import type { GameEvent, Role, RoomId, Seq } from '../../protocol/frames.ts'

/** The sample games, bench and yard. */
export const GAMES = ['../../games', '../../loadtest/games', '../wire/testing'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
)
/** Tests are faster than people. */
export const PROGRAM = ['--games', GAMES.join(), '--rate', '1000']

/** A session by one transport, or by the best one that works; closed with the test: `using ann = await sit(…)`. */
export const sit = async (
  url: string,
  guest: string,
  transport: TransportName | 'auto',
  options: Partial<ConnectOptions> = {},
): Promise<Session & Disposable> => {
  const who = options.token === undefined ? { guest } : {}
  const session = connect({ url, transport, deadline: 60_000, ...who, ...options })
  await session.ready
  return Object.assign(session, { [Symbol.dispose]: () => session.close() })
}

/** What a room showed from its JOIN on. */
export interface Shown {
  readonly views: readonly { readonly seq: Seq; readonly document: unknown }[]
  readonly emits: readonly { readonly seq: Seq; readonly event: GameEvent }[]
}

export interface Seen<G extends GameLike> extends Shown {
  readonly room: Room<G>
  readonly casts: readonly { readonly from: string; readonly channel: string; readonly payload: unknown }[]
  readonly notes: readonly { readonly topic: string; readonly data: unknown }[]
}

export const enter = async <G extends GameLike>(
  session: Session,
  id: RoomId,
  options: { role?: Role } = {},
): Promise<Seen<G>> => {
  const room = await session.join<G>(id, options)
  const views = [{ seq: room.seq, document: room.document }]
  const emits: { seq: Seq; event: GameEvent }[] = []
  const casts: { from: string; channel: string; payload: unknown }[] = []
  const notes: { topic: string; data: unknown }[] = []
  room.subscribe(({ seq, document }) => {
    if (views.at(-1)?.document !== document) views.push({ seq, document })
  })
  room.on('emit', (event, seq) => emits.push({ seq, event }))
  room.on('cast', (cast) => casts.push(cast))
  room.on('note', (note) => notes.push(note))
  return { room, views, emits, casts, notes }
}

/** Seqs of documents that are not above that of the one before. */
export const backward = ({ views }: Shown): Seq[] =>
  views.map(({ seq }) => seq).filter((seq, i, seqs) => i > 0 && seq <= (seqs[i - 1] ?? 0))
