import { ROOM_ID } from '../../protocol/frames.ts'

export type Route =
  | { readonly page: 'lobby' }
  /** `name`: of the guest that the link asks for. `av`: whether with camera and microphone; null: to be asked. */
  | { readonly page: 'play'; readonly room: string; readonly name: string | null; readonly av: 'on' | 'off' | null }
  | { readonly page: 'transports' }
  | { readonly page: 'missing' }

/** The page that a URL names. Pure. */
export const routeOf = ({ pathname, searchParams }: URL): Route => {
  if (pathname === '/') return { page: 'lobby' }
  if (/^\/transports\/?$/.test(pathname)) return { page: 'transports' }
  const room = /^\/play\/([^/]+)\/?$/.exec(pathname)?.[1]
  if (room === undefined || !ROOM_ID.test(room)) return { page: 'missing' }
  const name = searchParams.get('name')?.trim()
  const av = searchParams.get('av')
  return { page: 'play', room, name: name ? name : null, av: av === 'on' || av === 'off' ? av : null }
}

/** The room that somebody pasted: its id, its link or its path. Null where it is none of them. Pure. */
export const roomIn = (text: string): string | null => {
  const trimmed = text.trim()
  if (ROOM_ID.test(trimmed)) return trimmed
  return /\/play\/([A-Za-z0-9_-]{1,64})\/?(?:[?#].*)?$/.exec(trimmed)?.[1] ?? null
}

/** The path of a room; with `name`, its guest comes in under that name without being asked. Pure. */
export const pathOf = (room: string, name?: string): string =>
  name === undefined ? `/play/${room}` : `/play/${room}?name=${encodeURIComponent(name)}`
