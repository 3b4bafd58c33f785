import { useEffect } from 'react'
import { Lobby } from './lobby/lobby.tsx'
import { Connection } from './page/connection.tsx'
import { Notice } from './page/notice.tsx'
import { Rescue } from './page/rescue.tsx'
import type { Route } from './path.ts'
import { RoomPage } from './room/room-page.tsx'
import { useRoute } from './route.ts'
import { useTabSession } from './tab.ts'
import { useLanguage, useWords } from './words/words.ts'

export const App = () => {
  const route = useRoute()
  const session = useTabSession()
  const language = useLanguage()
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  return (
    <Rescue>
      {session && <Connection key={session.id} session={session} />}
      <Page route={route} />
    </Rescue>
  )
}

const Page = ({ route }: { route: Route }) => {
  const { notice } = useWords()
  switch (route.page) {
    case 'lobby':
      return <Lobby />
    case 'play':
      return <RoomPage key={route.room} id={route.room} askedName={route.name} />
    case 'missing':
      return <Notice title={notice.missing} hint={notice.missingHint} />
  }
}
