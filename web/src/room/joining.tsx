import { Shell } from '../page/shell.tsx'
import { useWords } from '../words/words.ts'

/** While the room is on its way. */
export const Joining = () => {
  const { room } = useWords()
  return (
    <Shell title={room.joining}>
      <p className="joining" role="status">
        {room.joining}
      </p>
    </Shell>
  )
}
