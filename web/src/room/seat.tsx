import { useEffect, useState } from 'react'
import type { Room, Session } from '../../../client/client.ts'
import { useSession } from '../../../client/react.ts'
import { ownDevices } from '../media/devices.ts'
import { Closed } from './closed.tsx'
import { happeningsOf } from './happenings.ts'
import { Joining } from './joining.tsx'
import { RoomRefused } from './room-refused.tsx'
import { Table } from './table.tsx'

interface SeatProps {
  readonly session: Session
  readonly id: string
  /** Goes on with the session here, after another tab took it. */
  takeBack(): void
  /** Comes in as a new guest. */
  comeInAgain(): void
  /** Asks for another name, where the server does not take this one. */
  askAnotherName(): void
}

type Place =
  | { readonly status: 'joining' }
  | { readonly status: 'joined'; readonly room: Room }
  | { readonly status: 'refused'; readonly error: unknown }

/** A session's place in a room: on the way, at the table, or turned away. */
export const Seat = ({ session, id, ...ways }: SeatProps) => {
  const state = useSession(session)
  const [attempt, setAttempt] = useState(0)
  const place = useJoined(session, id, attempt)
  if (state.status === 'closed') return <Closed state={state} {...ways} />
  switch (place.status) {
    case 'joining':
      return <Joining />
    case 'joined':
      return session.player && <Table session={session} room={place.room} me={session.player.id} />
    case 'refused':
      return <RoomRefused error={place.error} retry={() => setAttempt((n) => n + 1)} />
  }
}

const useJoined = (session: Session, id: string, attempt: number): Place => {
  const [place, setPlace] = useState<Place>({ status: 'joining' })
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt joins anew.
  useEffect(() => {
    let isCurrent = true
    setPlace({ status: 'joining' })
    session.join(id).then(
      (room) => {
        // At once: what was said before comes right after the document.
        happeningsOf(session, room)
        if (isCurrent) setPlace({ status: 'joined', room })
      },
      (error: unknown) => {
        if (!isCurrent) return
        // Nobody here to be seen by.
        ownDevices.stop()
        setPlace({ status: 'refused', error })
      },
    )
    return () => {
      isCurrent = false
    }
  }, [session, id, attempt])
  return place
}
