import { MadangError } from '../../../client/client.ts'
import { Notice } from '../page/notice.tsx'
import { sayError, useWords } from '../words/words.ts'

/** The room would not let this player in. */
export const RoomRefused = ({ error, retry }: { error: unknown; retry(): void }) => {
  const words = useWords()
  const { notice } = words
  if (error instanceof MadangError && error.code === 'not_found')
    return <Notice title={notice.noRoom} hint={notice.noRoomHint} />
  return (
    <Notice title={notice.refused} hint={sayError(words, error)}>
      <button type="button" className="button primary" onClick={retry}>
        {words.tryAgain}
      </button>
    </Notice>
  )
}
