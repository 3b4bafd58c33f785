import type { PlayerId } from '../../../client/client.ts'

/** Wood and paint of a mask: its face, the shade under the brow and beside the nose, what is painted on it. */
interface Wood {
  readonly face: string
  readonly shade: string
  readonly ink: string
  readonly paint: string
}
const WOODS: readonly [Wood, ...Wood[]] = [
  { face: '#d9a36c', shade: '#b97f4b', ink: '#33231a', paint: '#b8412b' },
  { face: '#c4744f', shade: '#a05738', ink: '#2b1913', paint: '#7e2418' },
  { face: '#ecd9b4', shade: '#d0b687', ink: '#3a2b1d', paint: '#b8412b' },
  { face: '#b5523c', shade: '#8f3a29', ink: '#27120d', paint: '#f0cf8e' },
  { face: '#e9c08e', shade: '#cb9a61', ink: '#36251a', paint: '#b8412b' },
  { face: '#8f6a4d', shade: '#6f4f37', ink: '#20150e', paint: '#e2bd85' },
  { face: '#f1e7d2', shade: '#d6c5a2', ink: '#3b3026', paint: '#b8412b' },
]
const OUTLINES: readonly [string, ...string[]] = [
  'M32 5c15 0 23 9 23 24 0 17-9 30-23 30S9 46 9 29C9 14 17 5 32 5z',
  'M32 6c14 0 24 8 24 21 0 11-4 17-7 22-4 7-10 10-17 10s-13-3-17-10c-3-5-7-11-7-22C8 14 18 6 32 6z',
  'M32 4c12 0 21 7 22 20 1 14-2 35-22 35S9 38 10 24C11 11 20 4 32 4z',
  'M12 13c8-9 32-9 40 0 5 6 4 16 3 24-2 13-10 22-23 22S11 50 9 37c-1-8-2-18 3-24z',
]
const BROWS: readonly [string, ...string[]] = [
  'M13 23c3-5 9-6 14-2-5-1-9-1-14 2zM51 23c-3-5-9-6-14-2 5-1 9-1 14 2z',
  'M12 18c5 0 10 2 15 6-5 0-11-1-15-6zM52 18c-5 0-10 2-15 6 5 0 11-1 15-6z',
  'M13 24c2-6 8-9 14-8-4 2-9 4-14 8zM51 24c-2-6-8-9-14-8 4 2 9 4 14 8z',
  'M13 19.5h13v3.5H13zM38 19.5h13v3.5H38z',
]
const EYES: readonly [string, ...string[]] = [
  'M14 31c3-5 10-5 12 0-4-2-8-2-12 0zM38 31c3-5 10-5 12 0-4-2-8-2-12 0z',
  'M14 28c3 5 10 5 12 0-4 2-8 2-12 0zM38 28c3 5 10 5 12 0-4 2-8 2-12 0z',
  'M20 26a3.4 3.4 0 1 0 .1 0zM44 26a3.4 3.4 0 1 0 .1 0z',
  'M14 30c4-3 8-3 12-1-2 3-9 4-12 1zM50 30c-4-3-8-3-12-1 2 3 9 4 12 1z',
]
const NOSES: readonly [string, ...string[]] = [
  'M30 25h4l3 13c-2 3-8 3-10 0z',
  'M30.5 24h3l2 11c4 0 4 5 0 5h-7c-4 0-4-5 0-5z',
  'M32 27c4 3 6 8 5 11-3 2-7 2-10 0-1-3 1-8 5-11z',
]
const MOUTHS: readonly [string, ...string[]] = [
  'M21 44c7 5 15 5 22 0-3 10-19 10-22 0z',
  'M24 49c5-5 11-5 16 0-5-1-11-1-16 0z',
  'M25 44.5h14c0 8-14 8-14 0z',
  'M22 46c7 2 13 2 20 0-6 5-14 5-20 0z',
  'M32 43.5a4.5 4.5 0 1 0 .1 0z',
]

/** A mask (tal) drawn from a player's id: the same for everyone, so that a table without video looks like people. */
export const Mask = ({ id }: { id: PlayerId }) => {
  const hash = fnv1a(id)
  const pick = <T,>(list: readonly [T, ...T[]], bits: number): T => list[(hash >>> bits) % list.length] ?? list[0]
  const wood = pick(WOODS, 3)
  const outline = pick(OUTLINES, 7)
  return (
    <svg className="mask" viewBox="0 0 64 64" aria-hidden="true">
      <path d={outline} fill={wood.face} />
      <path d={outline} fill="none" stroke={wood.shade} strokeWidth="2" />
      <path d={pick(NOSES, 15)} fill={wood.shade} />
      {hash % 3 !== 0 && (
        <g fill={wood.paint}>
          <circle cx="16.5" cy="40" r="3.6" />
          <circle cx="47.5" cy="40" r="3.6" />
          {hash % 3 === 1 && <circle cx="32" cy="14" r="3" />}
        </g>
      )}
      {hash % 5 === 0 && <path d="M28 60c1-4 7-4 8 0 0 3-8 3-8 0z" fill={wood.ink} />}
      <g fill={wood.ink}>
        <path d={pick(BROWS, 5)} />
        <path d={pick(EYES, 10)} />
      </g>
      <path d={pick(MOUTHS, 20)} fill={hash % 2 === 0 ? wood.paint : wood.ink} />
    </svg>
  )
}

const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  // Ids that differ in their last letter only differ in the low bits: mix them upwards.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
