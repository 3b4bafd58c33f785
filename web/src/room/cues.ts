import { useEffect, useRef } from 'react'
import type { Standing } from '../../../client/board.ts'
import type { PlayerId, Room } from '../../../client/client.ts'
import { play } from '../sound.ts'

const HURRY_MS = 10_000

/** Plays what is worth a sound: one's turn, time nearly up while one is awaited, and what comes to light. */
export const useCues = (room: Room, standing: Standing | null, me: PlayerId, now: number): void => {
  const isMine = standing?.active.includes(me) ?? false
  const left = standing?.endsAt == null ? null : standing.endsAt - now
  const isLate = isMine && left !== null && left <= HURRY_MS && left > 0
  const wasMine = useRef(isMine)
  useEffect(() => {
    if (isMine && !wasMine.current) play('turn')
    wasMine.current = isMine
  }, [isMine])
  useEffect(() => {
    if (isLate) play('hurry')
  }, [isLate])
  useEffect(() => room.on('emit', () => play('reveal')), [room])
  const { phase } = room.document.room
  const before = useRef(phase)
  useEffect(() => {
    if (before.current === 'playing' && phase === 'over') play('reveal')
    before.current = phase
  }, [phase])
}
