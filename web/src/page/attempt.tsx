import { useCallback, useState } from 'react'
import { sayError, useWords } from '../words/words.ts'

export interface Attempts {
  /** Watches a request: shows why it was refused, if it is. Resolves with whether it was accepted. */
  readonly attempt: (request: Promise<unknown>) => Promise<boolean>
  /** How many have no answer yet. */
  readonly pending: number
  readonly error: unknown
  readonly dismiss: () => void
}

/** The requests of one part of the page, and the last refusal among them. */
export const useAttempts = (): Attempts => {
  const [pending, setPending] = useState(0)
  const [error, setError] = useState<unknown>(null)
  const attempt = useCallback(async (request: Promise<unknown>) => {
    setPending((n) => n + 1)
    try {
      await request
      setError(null)
      return true
    } catch (refusal) {
      setError(refusal)
      return false
    } finally {
      setPending((n) => n - 1)
    }
  }, [])
  const dismiss = useCallback(() => setError(null), [])
  return { attempt, pending, error, dismiss }
}

/** Why the last request was refused. */
export const Refused = ({ attempts }: { attempts: Attempts }) => {
  const words = useWords()
  return (
    <div className="refused" role="alert">
      {attempts.error !== null && (
        <p>
          {sayError(words, attempts.error)}
          <button type="button" className="quiet" aria-label={words.close} onClick={attempts.dismiss}>
            ✕
          </button>
        </p>
      )}
    </div>
  )
}
