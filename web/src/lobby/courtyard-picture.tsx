import type { CSSProperties } from 'react'
import { Mask } from '../room/mask.tsx'
import { angleOf } from '../room/places.ts'
import { useWords } from '../words/words.ts'

const GUESTS = ['hahoe', 'bune', 'baekjeong', 'halmi', 'yangban', 'seonbi', 'choraengi']

/** What this is about, in one look: people around a mat, seen from above. */
export const CourtyardPicture = () => {
  const { lobby } = useWords()
  return (
    <div className="picture" role="img" aria-label={lobby.pictured}>
      <div className="mat" />
      {GUESTS.map((guest, seat) => (
        <div key={guest} className="face" style={{ '--angle': `${angleOf(seat, GUESTS.length)}deg` } as CSSProperties}>
          <Mask id={guest} />
        </div>
      ))}
    </div>
  )
}
