import type { MediaPolicy } from '../bus/media-messages.ts'
import type { PlayerId, Role } from '../protocol/frames.ts'
import type { MediaKind } from './sources.ts'

export interface Viewer {
  player: PlayerId
  role: Role
}

/** Something that a player publishes. */
export interface Publication {
  player: PlayerId
  kind: MediaKind
}

/** What a policy grants. Nothing that it does not name, and nobody's own. */
export interface Grants {
  /** Whether this viewer may receive it now. */
  may(viewer: Viewer, publication: Publication): boolean
  /** Whether anybody could receive it now, be they here or not. */
  isSeen(publication: Publication): boolean
}

interface Row {
  video: ReadonlySet<PlayerId>
  audio: ReadonlySet<PlayerId>
}

const NOTHING: Row = { video: new Set(), audio: new Set() }

/** What a policy grants; nothing where there is none. Pure. */
export const grantsOf = (policy: MediaPolicy | null): Grants => {
  const publishers = new Set(policy?.players)
  const rowOf = (given: { see: readonly PlayerId[]; hear: readonly PlayerId[] } | undefined): Row =>
    given === undefined ? NOTHING : { video: new Set(given.see), audio: new Set(given.hear) }
  const rows = new Map(Object.entries(policy?.viewers ?? {}).map(([player, row]) => [player, rowOf(row)]))
  const spectators = rowOf(policy?.spectators)
  const grants = (row: Row, viewer: PlayerId | null, { player, kind }: Publication) =>
    player !== viewer && publishers.has(player) && row[kind].has(player)
  return {
    may({ player, role }, publication) {
      const row = role === 'spectator' ? spectators : (rows.get(player) ?? NOTHING)
      return grants(row, player, publication)
    },
    isSeen: (publication) =>
      grants(spectators, null, publication) || [...rows].some(([viewer, row]) => grants(row, viewer, publication)),
  }
}

/** Who is there, what is published, and what the last policy that was applied made of it. */
export interface Present {
  peers: ReadonlyMap<string, { viewer: Viewer; shown: ReadonlySet<string> }>
  tracks: ReadonlyMap<string, Publication & { unseen: boolean }>
  consumers: ReadonlyMap<string, { peer: string; track: string; granted: boolean }>
}

export interface Difference {
  /** Consumers, by id. */
  pause: string[]
  resume: string[]
  /** Their peer or their track has ended. */
  close: string[]
  /** Tracks that a peer is to be told of, and those that it is to know no longer. */
  announce: { peer: string; track: string }[]
  withdraw: { peer: string; track: string }[]
  /** Tracks that nobody may receive any more, and those that somebody may receive again. */
  hide: string[]
  unhide: string[]
}

/** What has to change for what is there to be what is granted. Pure; empty once it is applied. */
export const difference = (grants: Grants, { peers, tracks, consumers }: Present): Difference => {
  const to: Difference = { pause: [], resume: [], close: [], announce: [], withdraw: [], hide: [], unhide: [] }
  for (const [id, { peer, track, granted }] of consumers) {
    const viewer = peers.get(peer)?.viewer
    const publication = tracks.get(track)
    if (viewer === undefined || publication === undefined) to.close.push(id)
    else if (grants.may(viewer, publication) !== granted) to[granted ? 'pause' : 'resume'].push(id)
  }
  for (const [peer, { viewer, shown }] of peers) {
    for (const track of shown) {
      const publication = tracks.get(track)
      if (publication === undefined || !grants.may(viewer, publication)) to.withdraw.push({ peer, track })
    }
    for (const [track, publication] of tracks)
      if (!shown.has(track) && grants.may(viewer, publication)) to.announce.push({ peer, track })
  }
  for (const [track, publication] of tracks) {
    const unseen = !grants.isSeen(publication)
    if (unseen !== publication.unseen) to[unseen ? 'hide' : 'unhide'].push(track)
  }
  return to
}
