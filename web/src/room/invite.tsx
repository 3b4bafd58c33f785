import { useEffect, useRef, useState } from 'react'
import { pathOf } from '../path.ts'
import { useWords } from '../words/words.ts'

const THANKS_MS = 2_500

/** The room's code and link, to be read out, copied or sent. */
export const Invite = ({ room, title }: { room: string; title: string }) => {
  const { room: words } = useWords()
  const [outcome, setOutcome] = useState<'copied' | 'by hand' | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const link = new URL(pathOf(room), location.origin).href
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link)
      setOutcome('copied')
    } catch {
      // Not every page may write to the clipboard: the link is marked, ready for the keys.
      field.current?.select()
      setOutcome('by hand')
    }
  }
  const share = (): void => {
    // Who closes the device's sheet has changed their mind: nothing to tell.
    navigator.share({ url: link, title: 'Madang', text: words.shareText(title) }).catch(() => {})
  }
  useEffect(() => {
    if (outcome !== 'copied') return
    const timer = setTimeout(() => setOutcome(null), THANKS_MS)
    return () => clearTimeout(timer)
  }, [outcome])
  return (
    <div className="invite">
      <label className="field">
        <span>{words.invite}</span>
        <input ref={field} readOnly value={link} onFocus={(event) => event.target.select()} />
      </label>
      <div className="actions">
        <button type="button" className="button" onClick={() => void copy()}>
          {outcome === 'copied' ? words.copied : words.copy}
        </button>
        {'share' in navigator && (
          <button type="button" className="button" onClick={share}>
            {words.share}
          </button>
        )}
      </div>
      <p className="code">
        <span>{words.code}</span> <code translate="no">{room}</code>
      </p>
      <small role="status">{outcome === 'by hand' ? words.copyByHand : ''}</small>
    </div>
  )
}
