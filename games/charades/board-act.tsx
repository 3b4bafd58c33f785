import { type ReactNode, useState } from 'react'

interface ActProps {
  readonly className: string
  readonly children: ReactNode
  act(): Promise<unknown>
}

/** A button that acts once until the server has answered: a second click would skip a second word. */
export const Act = ({ className, children, act }: ActProps) => {
  const [isBusy, setBusy] = useState(false)
  const press = async (): Promise<void> => {
    if (isBusy) return
    setBusy(true)
    await act()
    setBusy(false)
  }
  return (
    <button type="button" className={`charades-act ${className}`} aria-busy={isBusy} onClick={() => void press()}>
      {children}
    </button>
  )
}
