import { useRef } from 'react'
import { useWords } from '../words/words.ts'

interface LeaveProps {
  /** Whether the others lose a player in the middle of the game: then it asks first. */
  readonly isCostly: boolean
  readonly isBusy: boolean
  leave(): void
}

/** The way out of the room. */
export const Leave = ({ isCostly, isBusy, leave }: LeaveProps) => {
  const { room: words } = useWords()
  const dialog = useRef<HTMLDialogElement>(null)
  return (
    <>
      <button
        type="button"
        className="quiet"
        aria-busy={isBusy}
        onClick={() => (isCostly ? dialog.current?.showModal() : leave())}
      >
        {words.leave}
      </button>
      <dialog ref={dialog} aria-label={words.leaveSure}>
        <p>{words.leaveSure}</p>
        <div className="actions">
          <button
            type="button"
            className="button danger"
            onClick={() => {
              dialog.current?.close()
              leave()
            }}
          >
            {words.leaveYes}
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {words.leaveNo}
          </button>
        </div>
      </dialog>
    </>
  )
}
