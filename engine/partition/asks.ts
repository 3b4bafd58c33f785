import { type Ask, type EngineId, type GatewayId, LISTED_MOST, type Told, type ToldItem } from '../../bus/messages.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Holdings } from './holdings.ts'
import type { Library } from './library.ts'
import { type ListedIndex, listRoom, listRooms } from './listing.ts'
import type { Matching } from './matching.ts'
import type { Ownership } from './ownership.ts'
import type { Rooms } from './rooms.ts'

export interface AskPorts {
  readonly engine: EngineId
  readonly ownership: Pick<Ownership, 'engines'>
  readonly holdings: Pick<Holdings, 'epochs'>
  readonly rooms: Rooms
  readonly index: ListedIndex
  readonly library: Library
  readonly matching: Matching
  tell(gateway: GatewayId, item: ToldItem): void
}

/** Tells a gateway what it asks on behalf of HTTP, or why that cannot be told. Rejects where the store fails. */
export const takeAsk = async ({ gateway, id, about }: Ask, ports: AskPorts): Promise<void> => {
  const { engine, ownership, tell } = ports
  try {
    const value = await toldOf(about, ports)
    const share = 'rooms' in value ? { share: { engine, engines: ownership.engines } } : {}
    tell(gateway, { kind: 'told', id, value, ...share })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    tell(gateway, { kind: 'told', id, value: { refused: { code: error.code, message: error.message } } })
  }
}

const toldOf = async (about: Ask['about'], ports: AskPorts): Promise<Told> => {
  switch (about.type) {
    case 'games':
      return { games: ports.library.listings() }
    case 'rooms': {
      const partitions = new Set(ports.holdings.epochs.keys())
      return { rooms: await listRooms(about.game, LISTED_MOST, { ...ports, partitions }) }
    }
    case 'room':
      return { room: await listRoom(about.room, ports) }
    case 'matched':
      return ports.matching.earlier(about)
  }
}
