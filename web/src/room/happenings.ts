import type { PageWords } from '../../../client/board.ts'
import type { GameEvent, PlayerId, Room, RoomDocument, Session } from '../../../client/client.ts'
import type { GameLike } from '../../../client/game.ts'
import { type Readable, Store } from '../../../client/store.ts'
import { gamePageOf } from '../boards.ts'
import { dictionaries, type Language } from '../words/words.ts'
import { type ChatLine, readAudiences, readChatLine, readCount } from './notes.ts'
import { peopleNews } from './people-news.ts'

/** Older lines are let go: the list is for this sitting, the log has all. */
const KEPT = 300

/** A line of what happened: something said, or something that the room or the rules did, in both languages. */
export type Line =
  | ({ readonly kind: 'said' } & ChatLine)
  | {
      readonly kind: 'done'
      readonly id: string
      readonly at: number
      readonly text: Readonly<Record<Language, string>>
    }

type NameOf = (id: PlayerId) => string

/**
 * What happened in a room since this page came, what was said also before, and to whom this player may speak. It listens
 * from the moment that the room was joined, as the last hundred lines come then.
 */
export class Happenings {
  readonly #lines = new Store<readonly Line[]>([])
  readonly #audiences = new Store<readonly string[] | null>(null)
  readonly #onlookers = new Store(0)
  readonly #names = new Map<PlayerId, string>()
  readonly #session: Session
  #before: RoomDocument<object>
  #count = 0

  constructor(session: Session, room: Room) {
    this.#session = session
    this.#before = room.document
    this.#learnNames(room.document)
    room.subscribe(({ document }) => this.#changed(document))
    room.on('emit', (event) => this.#emitted(event))
    room.on('note', ({ topic, data }) => this.#noted(topic, data))
    // What held before a connection was lost may not hold after it: the server says so where it is not as usual.
    session.state.subscribe(({ status }) => {
      if (status !== 'online') this.#audiences.set(null)
    })
  }

  /** Oldest first. */
  get lines(): Readable<readonly Line[]> {
    return this.#lines
  }

  /** To whom this player may write now; null where the server said nothing: then as usual (`ownAudiences`). */
  get audiences(): Readable<readonly string[] | null> {
    return this.#audiences
  }

  /** How many watch. */
  get onlookers(): Readable<number> {
    return this.#onlookers
  }

  #noted(topic: string, data: unknown): void {
    if (topic === 'chat') {
      const line = readChatLine(data)
      if (line !== null) this.#add({ kind: 'said', ...line })
    }
    if (topic === 'chat.audiences') this.#audiences.set(readAudiences(data))
    if (topic === 'spectators') this.#onlookers.set(readCount(data))
  }

  #emitted(event: GameEvent): void {
    this.#tell((words, nameOf) => words.event?.(event, nameOf) ?? null)
  }

  #changed(now: RoomDocument<object>): void {
    const before = this.#before
    if (now === before) return
    this.#before = now
    this.#learnNames(now)
    if (before.game !== null) this.#tell((words, nameOf) => words.change?.(before, now, nameOf) ?? null)
    for (const news of peopleNews(before.room, now.room)) {
      this.#done({ en: news(dictionaries.en), ko: news(dictionaries.ko) })
    }
  }

  #tell(say: (words: PageWords<GameLike>, nameOf: NameOf) => string | null): void {
    const words = gamePageOf(this.#before.room.game)?.words
    if (words === undefined) return
    const inLanguage = (language: Language): string | null =>
      say(words[language], (id) => this.#names.get(id) ?? dictionaries[language].somebody)
    const [en, ko] = [inLanguage('en'), inLanguage('ko')]
    if (en !== null && ko !== null) this.#done({ en, ko })
  }

  #done(text: Record<Language, string>): void {
    this.#add({ kind: 'done', id: `done-${++this.#count}`, at: this.#session.serverNow(), text })
  }

  /** Lines that come again after a reconnect are known by their ids; old ones that come late go where they belong. */
  #add(line: Line): void {
    const lines = this.#lines.current
    if (lines.some(({ id }) => id === line.id)) return
    const after = lines.findLastIndex(({ at }) => at <= line.at) + 1
    this.#lines.set(lines.toSpliced(after, 0, line).slice(-KEPT))
  }

  #learnNames({ room }: RoomDocument<object>): void {
    for (const [id, { name }] of Object.entries(room.members)) this.#names.set(id, name)
  }
}

const known = new WeakMap<Room, Happenings>()

/** What happens in this room: one list for as long as the room is joined. */
export const happeningsOf = (session: Session, room: Room): Happenings => {
  const happenings = known.get(room) ?? new Happenings(session, room)
  known.set(room, happenings)
  return happenings
}
