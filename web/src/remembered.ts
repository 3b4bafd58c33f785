// What the browser remembers for this page. A browser that forbids storage makes it forget, and nothing worse.

export type Shelf = 'browser' | 'tab'

/** The text kept under `key`; null where there is none. */
export const recall = (shelf: Shelf, key: string): string | null => {
  try {
    return storageOf(shelf).getItem(`madang.${key}`)
  } catch {
    return null
  }
}

/** Keeps `text` under `key`; null forgets it. */
export const remember = (shelf: Shelf, key: string, text: string | null): void => {
  try {
    if (text === null) storageOf(shelf).removeItem(`madang.${key}`)
    else storageOf(shelf).setItem(`madang.${key}`, text)
  } catch {
    // Full or forbidden: the next load starts afresh.
  }
}

const storageOf = (shelf: Shelf): Storage => (shelf === 'browser' ? localStorage : sessionStorage)
