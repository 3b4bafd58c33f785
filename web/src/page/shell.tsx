import { type ReactNode, useEffect } from 'react'
import { LanguageSwitch } from './language-switch.tsx'
import { Link } from './link.tsx'

interface ShellProps {
  /** Of the window, and of the page where it shows a heading of its own. */
  readonly title: string
  /** What stands in the top bar beside the way home. */
  readonly bar?: ReactNode
  readonly children: ReactNode
}

/** What is around every page: the way to the lobby, the language, the content. */
export const Shell = ({ title, bar, children }: ShellProps) => {
  useEffect(() => {
    document.title = title === 'Madang' ? title : `${title} · Madang`
  }, [title])
  return (
    <>
      <header className="bar">
        <Link className="wordmark" to="/">
          Madang<span lang="ko">마당</span>
        </Link>
        <div className="bar-middle">{bar}</div>
        <LanguageSwitch />
      </header>
      <main tabIndex={-1}>{children}</main>
    </>
  )
}
