import type { ReactNode } from 'react'
import { Mask } from '../room/mask.tsx'
import { useWords } from '../words/words.ts'
import { Link } from './link.tsx'
import { Shell } from './shell.tsx'

/** A page that says one thing, and what to do next. */
export const Notice = ({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }) => {
  const { toLobby } = useWords()
  return (
    <Shell title={title}>
      <section className="notice" aria-live="polite">
        <Mask id="madang" />
        <h1>{title}</h1>
        {hint && <p>{hint}</p>}
        <div className="actions">
          {children}
          <Link className={children ? 'button' : 'button primary'} to="/">
            {toLobby}
          </Link>
        </div>
      </section>
    </Shell>
  )
}
