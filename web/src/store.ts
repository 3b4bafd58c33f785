import { useSyncExternalStore } from 'react'
import type { Readable } from '../../client/store.ts'

/** The store's value, rendered anew after each change. `store` keeps its identity. */
export const useStore = <T>(store: Readable<T>): T =>
  useSyncExternalStore(
    (changed) => store.subscribe(changed),
    () => store.current,
  )
