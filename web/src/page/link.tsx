import type { MouseEvent, ReactNode } from 'react'
import { navigate } from '../route.ts'

interface LinkProps {
  readonly to: string
  readonly className?: string
  readonly children: ReactNode
}

/** A link within the page. With a modifier key it opens as links do. */
export const Link = ({ to, className, children }: LinkProps) => {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} className={className} onClick={follow}>
      {children}
    </a>
  )
}
