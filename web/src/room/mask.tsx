import type { PlayerId } from '../../../client/client.ts'

const SKINS = ['#e9c9a0', '#d9a877', '#c98d6b', '#f1e2c6', '#b5583f', '#8f9fb8']
const BROWS = [
  'M13 20q6-5 11 0M40 20q6-5 11 0',
  'M12 22l12-4M40 18l12 4',
  'M12 18l12 4M40 22l12-4',
  'M12 20h12M40 20h12',
]
const EYES = [
  'M14 29q5-5 10 0M40 29q5-5 10 0',
  'M14 27q5 5 10 0M40 27q5 5 10 0',
  'M15 28h9M40 28h9',
  'M19 26v5M45 26v5',
]
const NOSES = ['M32 26v10h4', 'M32 26v10h-4', 'M28 37q4 3 8 0', 'M32 26l-4 11h8']
const MOUTHS = ['M22 46q10 9 20 0', 'M24 49q8-6 16 0', 'M25 46h14', 'M24 45q8 3 16 0q-8 10-16 0']
const CHEEKS = ['#b8412b', '#c98a1b', '#1d7358', '#3d4b94']

/** A mask (tal) drawn from a player's id: the same for everyone, so that a table without video looks like people. */
export const Mask = ({ id }: { id: PlayerId }) => {
  const hash = fnv1a(id)
  const of = <T,>(list: readonly T[], bits: number): T | undefined => list[(hash >>> bits) % list.length]
  const cheek = of(CHEEKS, 25)
  return (
    <svg className="mask" viewBox="0 0 64 64" aria-hidden="true">
      <path d="M32 3c17 0 26 11 25 27-1 19-13 31-25 31S8 49 7 30C6 14 15 3 32 3z" fill={of(SKINS, 1)} />
      <g fill={cheek}>
        <circle cx="16" cy="39" r="3.5" />
        <circle cx="48" cy="39" r="3.5" />
        {hash % 2 === 1 && <circle cx="32" cy="13" r="3.5" />}
      </g>
      <g fill="none" stroke="#2a211a" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d={of(BROWS, 5)} />
        <path d={of(EYES, 10)} />
        <path d={of(NOSES, 15)} />
        <path d={of(MOUTHS, 20)} />
      </g>
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
