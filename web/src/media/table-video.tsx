import type { PlayerId, Role, Room, RoomDocument } from '../../../client/client.ts'
import { AtFace } from '../room/seats.tsx'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { Controls } from './controls.tsx'
import { OwnTile } from './own-tile.tsx'
import { Screens } from './screens.tsx'
import { useTakingPart } from './taking-part.ts'
import { Tile } from './tile.tsx'
import { VideoLine } from './video-line.tsx'
import { Voices } from './voices.tsx'
import './video.css'

interface TableVideoProps {
  readonly room: Room
  readonly info: RoomDocument['room']
  readonly me: PlayerId
  readonly role: Role
}

/** Video at a table: at each seat whom one may see now, the voices, the screens, and one's own devices. */
export default function TableVideo({ room: { media }, info, me, role }: TableVideoProps) {
  const { somebody } = useWords()
  useTakingPart(media, role)
  const streams = useStore(media.streams)
  const nameOf = (player: PlayerId): string => info.members[player]?.name ?? somebody
  return (
    <>
      <Controls media={media} role={role} />
      <VideoLine media={media} />
      <Screens media={media} nameOf={nameOf} />
      <Voices media={media} />
      {info.players.map((player) => {
        const stream = streams.get(player)
        if (player !== me && stream === undefined) return null
        return (
          <AtFace key={player} player={player}>
            {stream === undefined ? (
              <OwnTile media={media} />
            ) : (
              <Tile media={media} player={player} name={nameOf(player)} stream={stream} />
            )}
          </AtFace>
        )
      })}
    </>
  )
}
