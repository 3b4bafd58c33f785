import type { PlayerId, Role } from '../../../client/client.ts'

/** A line of text chat, as NOTE `chat` brings it. */
export interface ChatLine {
  readonly id: string
  readonly from: PlayerId
  readonly name: string
  /** The audience that it was written to. */
  readonly to: string
  readonly text: string
  /** Ms since the epoch at the server. */
  readonly at: number
}

/** The line that a NOTE `chat` brings; null where it is none. Pure. */
export const readChatLine = (note: unknown): ChatLine | null => {
  const id = field(note, 'id')
  const [from, name, to, text] = ['from', 'name', 'to', 'text'].map((key) => field(note, key))
  const at = field(note, 'at')
  if (typeof id !== 'string' && typeof id !== 'number') return null
  if (typeof from !== 'string' || typeof name !== 'string' || typeof to !== 'string') return null
  if (typeof text !== 'string' || typeof at !== 'number') return null
  return { id: `said-${id}`, from, name, to, text, at }
}

/** The audiences that a NOTE `chat.audiences` names. Pure. */
export const readAudiences = (note: unknown): readonly string[] => {
  const to = field(note, 'to')
  return Array.isArray(to) ? to.filter((audience) => typeof audience === 'string') : []
}

/** To whom a member may write where the server says nothing else. Pure. */
export const ownAudiences = (role: Role): readonly string[] => (role === 'player' ? ['players'] : ['spectators'])

/** The count of a NOTE `spectators`. Pure. */
export const readCount = (note: unknown): number => (typeof note === 'number' && note > 0 ? note : 0)

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
