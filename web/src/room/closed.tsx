import type { SessionState } from '../../../client/client.ts'
import { Notice } from '../page/notice.tsx'
import { sayError, useWords } from '../words/words.ts'
import { Joining } from './joining.tsx'

interface ClosedProps {
  readonly state: Extract<SessionState, { status: 'closed' }>
  takeBack(): void
  comeInAgain(): void
  askAnotherName(): void
}

/** Why the session is over, and the way back. */
export const Closed = ({ state, takeBack, comeInAgain, askAnotherName }: ClosedProps) => {
  const words = useWords()
  const { notice } = words
  switch (state.why) {
    case 'asked':
      return <Joining />
    case 'taken over':
      return (
        <Notice title={notice.takenOver} hint={notice.takenOverHint}>
          <button type="button" className="button primary" onClick={takeBack}>
            {notice.takeBack}
          </button>
        </Notice>
      )
    case 'unauthorized':
      return (
        <Notice title={notice.unauthorized} hint={notice.unauthorizedHint}>
          <button type="button" className="button primary" onClick={comeInAgain}>
            {notice.comeIn}
          </button>
        </Notice>
      )
    case 'refused': {
      const isName = state.error.code === 'invalid_payload'
      return (
        <Notice title={notice.refused} hint={sayError(words, state.error)}>
          <button type="button" className="button primary" onClick={isName ? askAnotherName : takeBack}>
            {isName ? words.name.another : words.tryAgain}
          </button>
        </Notice>
      )
    }
  }
}
