import { Store } from '../../client/store.ts'
import { type Route, routeOf } from './path.ts'
import { useStore } from './store.ts'

const here = (): Route => routeOf(new URL(location.href))
const current = new Store<Route>(here())
window.addEventListener('popstate', () => current.set(here()))

export const useRoute = (): Route => useStore(current)

/** Goes to a page of ours without loading it anew. */
export const navigate = (path: string): void => {
  history.pushState(null, '', path)
  current.set(here())
  window.scrollTo(0, 0)
}

/** Takes name and devices out of the address: whoever copies it invites others, who have their own. */
export const dropOwn = (): void => {
  const url = new URL(location.href)
  for (const own of ['name', 'av']) url.searchParams.delete(own)
  history.replaceState(null, '', url)
}
