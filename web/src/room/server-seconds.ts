import { useEffect, useState } from 'react'
import type { Session } from '../../../client/client.ts'

const SECOND_MS = 1_000

/** The server's time in ms since the epoch, renewed at each of its seconds while `runs`. */
export const useServerSeconds = (session: Session, runs: boolean): number => {
  const [now, setNow] = useState(() => session.serverNow())
  useEffect(() => {
    if (!runs) return
    let timer: number
    const renew = (): void => {
      const time = session.serverNow()
      setNow(time)
      timer = window.setTimeout(renew, SECOND_MS - (time % SECOND_MS))
    }
    renew()
    return () => clearTimeout(timer)
  }, [session, runs])
  return now
}
