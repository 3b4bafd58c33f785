import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import type { PlayerId, Room } from '../../../client/client.ts'
import { gamePageOf } from '../boards.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { useStore } from '../store.ts'
import { useLanguage, useWords } from '../words/words.ts'
import type { Happenings, Line } from './happenings.ts'

/** As the server has it. */
const TEXT_CHARACTERS = 500
/** Who has scrolled further up than this reads the past, and is not pulled away from it. */
const AT_END_PX = 80

interface TalkProps {
  readonly room: Room
  readonly happenings: Happenings
  /** To whom this player may write now. */
  readonly audiences: readonly string[]
  readonly me: PlayerId
  /** On a phone the list is a sheet over the table. */
  readonly isOpen: boolean
  close(): void
}

/** What happened and what was said, in one list, and a field to speak to those who may be spoken to. */
export const Talk = ({ room, happenings, audiences, me, isOpen, close }: TalkProps) => {
  const { talk: words } = useWords()
  const lines = useStore(happenings.lines)
  const list = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new line, and the sheet's opening, shows the end.
  useEffect(() => {
    if (isAtEnd.current) list.current?.scrollTo(0, list.current.scrollHeight)
  }, [lines, isOpen])
  return (
    <aside className="talk" data-open={isOpen} aria-labelledby="talk">
      <div className="talk-head">
        <h2 id="talk">{words.title}</h2>
        <button type="button" className="quiet talk-close" onClick={close}>
          {words.close}
        </button>
      </div>
      <ol
        ref={list}
        className="lines"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys.
        tabIndex={0}
        aria-labelledby="talk"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX
        }}
      >
        {lines.length === 0 && <li className="done">{audiences.length > 0 ? words.empty : words.quiet}</li>}
        {lines.map((line) => (
          <LineItem key={line.id} line={line} me={me} game={room.document.room.game} />
        ))}
      </ol>
      {audiences.length > 0 && <Composer room={room} audiences={audiences} />}
    </aside>
  )
}

const LineItem = ({ line, me, game }: { line: Line; me: PlayerId; game: string }) => {
  const language = useLanguage()
  const { talk: words } = useWords()
  const audienceName = useAudienceName(game)
  if (line.kind === 'done') return <li className="done">{line.text[language]}</li>
  return (
    <li className="said" data-mine={line.from === me} data-hidden={line.to !== 'players'}>
      <span className="said-by">
        {line.name}
        {line.to !== 'players' && <small> {words.heardBy(audienceName(line.to))}</small>}
      </span>
      <span className="said-text">{line.text}</span>
    </li>
  )
}

const Composer = ({ room, audiences }: { room: Room; audiences: readonly string[] }) => {
  const { talk: words } = useWords()
  const attempts = useAttempts()
  const audienceName = useAudienceName(room.document.room.game)
  const [text, setText] = useState('')
  const [chosen, choose] = useState<string | null>(null)
  const field = useId()
  const to = audiences.find((audience) => audience === chosen) ?? audiences[0]
  if (to === undefined) return null
  const send = (event: FormEvent): void => {
    event.preventDefault()
    const said = text.trim()
    if (said === '') return
    setText('')
    void attempts.attempt(room.call('chat', { text: said, to })).then((isAccepted) => {
      // Whatever was written meanwhile stays.
      if (!isAccepted) setText((now) => (now === '' ? said : now))
    })
  }
  return (
    <form className="composer" onSubmit={send} data-hidden={to !== 'players'}>
      {audiences.length > 1 && (
        <label className="composer-to">
          <span>{words.to}</span>
          <select value={to} onChange={(event) => choose(event.target.value)}>
            {audiences.map((audience) => (
              <option key={audience} value={audience}>
                {audienceName(audience)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label className="heard-only" htmlFor={field}>
        {words.write}
      </label>
      <input
        id={field}
        className="composer-text"
        value={text}
        maxLength={TEXT_CHARACTERS}
        placeholder={words.placeholder(audienceName(to))}
        autoComplete="off"
        enterKeyHint="send"
        aria-keyshortcuts="t"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <button type="submit" className="button send">
        {words.send}
      </button>
      <Refused attempts={attempts} />
    </form>
  )
}

/** What an audience is called: by the page, by the game, or by its own name. */
export const useAudienceName = (game: string): ((audience: string) => string) => {
  const { talk } = useWords()
  const language = useLanguage()
  const own = gamePageOf(game)?.words[language].audiences
  return (audience) => talk.audiences[audience] ?? own?.[audience] ?? audience
}
