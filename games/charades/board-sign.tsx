import type { TeamName } from './stage.ts'

/** The sign of a team: a sun with its rays, or a crescent. */
export const Sign = ({ team }: { team: TeamName }) => (
  <svg className="charades-sign" viewBox="0 0 24 24" aria-hidden="true">
    {team === 'sun' ? (
      <>
        <circle cx="12" cy="12" r="4.6" />
        <path d="M12 1.6v3M12 19.4v3M1.6 12h3M19.4 12h3M4.6 4.6l2.2 2.2M17.2 17.2l2.2 2.2M4.6 19.4l2.2-2.2M17.2 6.8l2.2-2.2" />
      </>
    ) : (
      <path className="charades-crescent" d="M15.5 3a9.6 9.6 0 1 0 5.9 12.4A8 8 0 0 1 15.5 3z" />
    )}
  </svg>
)
