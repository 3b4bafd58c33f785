import { tokenOf } from '../bench/player.ts'

/** A room of `bench`, by somebody who does not join it. */
export const createRoom = async (port: number): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/rooms`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenOf('host')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ game: 'bench' }),
  })
  const answer: unknown = await response.json()
  if (typeof answer === 'object' && answer !== null && 'room' in answer) return String(answer.room)
  throw new Error(`POST /v1/rooms was answered ${response.status}: ${JSON.stringify(answer)}`)
}
