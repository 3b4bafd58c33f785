import { useEffect, useState } from 'react'
import { dropName } from '../route.ts'
import { tab, useTabSession } from '../tab.ts'
import { AskName } from './ask-name.tsx'
import { Joining } from './joining.tsx'
import { Seat } from './seat.tsx'

interface RoomPageProps {
  readonly id: string
  /** The guest that the link asks for. */
  readonly askedName: string | null
}

/** `/play/ROOM`: the tab's player comes in as soon as the name is known, and goes out of sight with the page. */
export const RoomPage = ({ id, askedName }: RoomPageProps) => {
  const session = useTabSession()
  const [name, setName] = useState(() => askedName ?? tab.name)
  useEffect(() => {
    if (name === null) return
    tab.open(name)
    dropName()
  }, [name])
  useEffect(() => () => tab.close(), [])

  if (name === null) return <AskName found={setName} />
  if (session === null) return <Joining />
  const comeInAgain = (): void => {
    tab.forget()
    tab.open(name)
  }
  const askAnotherName = (): void => {
    tab.forget()
    setName(null)
  }
  return (
    <Seat
      key={session.id}
      session={session}
      id={id}
      takeBack={() => tab.open(name)}
      comeInAgain={comeInAgain}
      askAnotherName={askAnotherName}
    />
  )
}
