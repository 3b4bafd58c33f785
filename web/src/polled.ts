import { useEffect, useState } from 'react'
import { MadangError } from '../../client/error.ts'

export interface Polled<T> {
  /** The last answer; null before the first. */
  readonly value: T | null
  /** Why the newest request failed; null where it did not. */
  readonly error: MadangError | null
}

/**
 * What `load` answers, asked again `everyMs` after each answer while the page is in view. `load` keeps its identity.
 * With `everyMs` null it asks only until there is an answer.
 */
export const usePolled = <T>(load: (signal: AbortSignal) => Promise<T>, everyMs: number | null): Polled<T> => {
  const [polled, setPolled] = useState<Polled<T>>({ value: null, error: null })
  useEffect(() => {
    const ending = new AbortController()
    let timer: number | undefined
    const ask = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        try {
          const value = await load(ending.signal)
          if (ending.signal.aborted) return
          setPolled({ value, error: null })
          if (everyMs === null) return
        } catch (error) {
          if (ending.signal.aborted) return
          const reason = error instanceof MadangError ? error : new MadangError('internal', String(error))
          setPolled(({ value }) => ({ value, error: reason }))
        }
      }
      timer = window.setTimeout(ask, everyMs ?? RETRY_MS)
    }
    void ask()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [load, everyMs])
  return polled
}

const RETRY_MS = 3_000
