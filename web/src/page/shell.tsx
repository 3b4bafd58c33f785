import { type ReactNode, useEffect } from 'react'
import { Link } from './link.tsx'
import { Tools } from './tools.tsx'

interface ShellProps {
  /** Of the window. */
  readonly title: string
  /** What stands in the top bar beside the way home. */
  readonly bar?: ReactNode
  readonly children: ReactNode
}

/** What is around every page: the way to the lobby, sound, keys and language, the content. */
export const Shell = ({ title, bar, children }: ShellProps) => {
  useEffect(() => {
    document.title = title === 'Madang' ? title : `${title} · Madang`
  }, [title])
  return (
    <>
      <header className="bar">
        <Link className="wordmark" to="/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <circle cx="16" cy="17" r="7" fill="none" stroke="currentColor" strokeWidth="2.5" />
            <circle cx="16" cy="3.5" r="2.5" />
            <circle cx="28" cy="23.5" r="2.5" />
            <circle cx="4" cy="23.5" r="2.5" />
          </svg>
          <b>Madang</b>
          <span lang="ko">마당</span>
        </Link>
        <div className="bar-middle">{bar}</div>
        <Tools />
      </header>
      <main tabIndex={-1}>{children}</main>
    </>
  )
}
