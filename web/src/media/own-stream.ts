import { useMemo } from 'react'

/** A stream of one's own track, to be drawn. */
export const useOwnStream = (track: MediaStreamTrack | null): MediaStream | null =>
  useMemo(() => (track === null ? null : new MediaStream([track])), [track])
