import { useState } from 'react'
import type { TransportName } from '../../../client/client.ts'
import { TRANSPORTS } from '../../../client/link.ts'
import { useRoom } from '../../../client/react.ts'
import { Refused, useAttempts } from '../page/attempt.tsx'
import { BoardPlace } from '../room/board-place.tsx'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import type { Demonstration, Scene } from './demonstration.ts'

interface SeatProps {
  readonly demonstration: Demonstration
  readonly scene: Scene
}

/** The visitor's own seat: the board, which transport it uses, and whether the table plays by itself. */
export const Seat = ({ demonstration, scene }: SeatProps) => {
  const { session, room, game } = scene
  const { transports: words, room: roomWords } = useWords()
  const { document } = useRoom(room)
  const mine = useStore(session.transport)
  const isPlaying = useStore(demonstration.isPlaying)
  /** The transport that the seat is on its way to. */
  const [asked, setAsked] = useState<TransportName | null>(null)
  const attempts = useAttempts()
  const me = session.player?.id
  const change = async (transport: TransportName): Promise<void> => {
    setAsked(transport)
    await attempts.attempt(session.use(transport))
    setAsked((now) => (now === transport ? null : now))
  }
  return (
    <section className="transports-seat" aria-label={words.seat}>
      <div className="transports-board">
        {me !== undefined && (
          <BoardPlace
            room={room}
            document={document}
            me={me}
            now={session.serverNow()}
            attempt={(request) => {
              demonstration.sending(game)
              return attempts.attempt(request)
            }}
          />
        )}
        <Refused attempts={attempts} />
      </div>
      <div className="transports-choice">
        <fieldset>
          <legend>{words.choose}</legend>
          {TRANSPORTS.map((transport) => (
            <label key={transport} className="check">
              <input
                type="radio"
                name="transport"
                checked={(asked ?? mine) === transport}
                onChange={() => void change(transport)}
              />
              <span>{words.names[transport]}</span>
            </label>
          ))}
        </fieldset>
        <p role="status">{mine === null || asked !== null ? words.changing : words.now(words.names[mine])}</p>
        <button
          type="button"
          className="button primary"
          aria-pressed={isPlaying}
          onClick={() => demonstration.play(!isPlaying)}
        >
          {isPlaying ? words.stop : words.playItself}
        </button>
        {document.room.phase === 'over' && !isPlaying && (
          <button type="button" className="button" onClick={() => void attempts.attempt(room.again())}>
            {roomWords.again}
          </button>
        )}
      </div>
    </section>
  )
}
