import { useEffect } from 'react'
import type { Session } from '../../../client/client.ts'
import { useSession } from '../../../client/react.ts'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'

/**
 * Says when the connection is not there, and puts its state and the player's id on the document's root element
 * (docs: "Running it"). A closed session is told by the page that needed it.
 */
export const Connection = ({ session }: { session: Session }) => {
  const { status } = useSession(session)
  const transport = useStore(session.transport)
  const { connection } = useWords()
  const shown = status === 'closed' ? 'offline' : status

  useEffect(() => {
    const { dataset } = document.documentElement
    dataset.connection = shown
    if (transport !== null) dataset.transport = transport
    if (session.player) dataset.me = session.player.id
  }, [session, shown, transport])

  useEffect(
    () => () => {
      const { dataset } = document.documentElement
      delete dataset.connection
      delete dataset.transport
      delete dataset.me
    },
    [],
  )

  const says = status === 'online' || status === 'closed' ? '' : connection[status]
  return (
    <p className="connection" role="status" data-status={status}>
      {says && <span>{says}</span>}
    </p>
  )
}
