const MINUTE_MS = 60_000

/** The rim of the table as the last minute of a phase: it empties like the hand of a clock. Whole while there is more. */
export const Rim = ({ endsAt, now }: { endsAt: number | null; now: number }) => {
  if (endsAt === null) return null
  const left = Math.max(0, Math.min(1, (endsAt - now) / MINUTE_MS))
  return (
    <svg className="rim" viewBox="0 0 100 100" aria-hidden="true" data-soon={endsAt - now <= 10_000}>
      <circle cx="50" cy="50" r="49.6" pathLength="1" strokeDasharray={`${left} 1`} />
    </svg>
  )
}
