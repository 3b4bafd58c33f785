import { lazy, Suspense, useEffect, useRef } from 'react'
import { Lobby } from './lobby/lobby.tsx'
import { Connection } from './page/connection.tsx'
import { Notice } from './page/notice.tsx'
import { Rescue } from './page/rescue.tsx'
import type { Route } from './path.ts'
import { RoomPage } from './room/room-page.tsx'
import { useRoute } from './route.ts'
import { useTabSession } from './tab.ts'
import { useLanguage, useWords } from './words/words.ts'

const TransportsPage = lazy(() => import('./transports/transports-page.tsx'))

export const App = () => {
  const route = useRoute()
  const session = useTabSession()
  const language = useLanguage()
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  useFocusOn(route)
  return (
    <Rescue>
      {session && <Connection key={session.id} session={session} />}
      <Page route={route} />
    </Rescue>
  )
}

/** After going to another page the keyboard starts at its content, where nothing in it asked for the focus. */
const useFocusOn = (route: Route): void => {
  const before = useRef(route)
  useEffect(() => {
    if (before.current === route) return
    before.current = route
    if (document.activeElement === document.body) document.querySelector('main')?.focus({ preventScroll: true })
  }, [route])
}

const Page = ({ route }: { route: Route }) => {
  const { notice } = useWords()
  switch (route.page) {
    case 'lobby':
      return <Lobby />
    case 'play':
      return <RoomPage key={route.room} id={route.room} askedName={route.name} askedAv={route.av} />
    case 'transports':
      return (
        <Suspense fallback={null}>
          <TransportsPage />
        </Suspense>
      )
    case 'missing':
      return <Notice title={notice.missing} hint={notice.missingHint} />
  }
}
