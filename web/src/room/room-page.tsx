import { lazy, Suspense, useEffect, useState } from 'react'
import { ownDevices } from '../media/devices.ts'
import { WISHES_OF, wish, wishes } from '../media/wishes.ts'
import { dropOwn } from '../route.ts'
import { useStore } from '../store.ts'
import { tab, useTabSession } from '../tab.ts'
import { AskName } from './ask-name.tsx'
import { Joining } from './joining.tsx'
import { Seat } from './seat.tsx'

const PreJoin = lazy(() => import('../media/pre-join.tsx'))

interface RoomPageProps {
  readonly id: string
  /** The guest that the link asks for. */
  readonly askedName: string | null
  /** Whether the link asks for camera and microphone; null: the check asks, unless this tab went through it before. */
  readonly askedAv: 'on' | 'off' | null
}

/** `/play/ROOM`: the tab's player comes in as soon as the name is known, and goes out of sight with the page. */
export const RoomPage = ({ id, askedName, askedAv }: RoomPageProps) => {
  const session = useTabSession()
  const [name, setName] = useState(() => askedName ?? tab.name)
  const isAsked = useStore(wishes) === null && askedAv === null
  useEffect(() => {
    if (askedAv !== null) wish(WISHES_OF[askedAv])
  }, [askedAv])
  useEffect(() => {
    if (name === null) return
    tab.open(name)
    dropOwn()
  }, [name])
  useEffect(
    () => () => {
      ownDevices.stop()
      tab.close()
    },
    [],
  )

  if (name === null) return <AskName found={setName} />
  if (session === null) return <Joining />
  if (isAsked)
    return (
      <Suspense fallback={null}>
        <PreJoin name={name} session={session} />
      </Suspense>
    )
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
