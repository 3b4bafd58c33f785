import { useEffect } from 'react'

/** What each key does, by `event.key`. Keys with a modifier, and those typed into a field, are the browser's. */
export const useKeys = (keys: Readonly<Record<string, () => void>>): void => {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      // In a dialog they are the dialog's: Escape closes it.
      if (document.querySelector('dialog[open]') !== null) return
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return
      const run = keys[event.key.toLowerCase()] ?? byPlace(keys, event.code)
      if (run === undefined) return
      event.preventDefault()
      run()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [keys])
}

/** A key of another script, such as Hangul, is meant by its place on the keyboard. */
const byPlace = (keys: Readonly<Record<string, () => void>>, code: string): (() => void) | undefined =>
  /^Key[A-Z]$/.test(code) ? keys[code.slice(3).toLowerCase()] : undefined

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
