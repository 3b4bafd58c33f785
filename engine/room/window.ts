import type { PlayerId, Ref, SessionId } from '../../protocol/frames.ts'

/** Answers kept per session, and sessions kept per player (docs/protocol.md, promise 2). */
export const ANSWERS_KEPT = 64
export const SESSIONS_KEPT = 8
/** A player who is no member is forgotten after this long without a logged request, once many are kept. */
const STRANGER_KEPT_MS = 10 * 60_000
const PLAYERS_BEFORE_PRUNING = 128
const RECENT_MOST = 8

interface Answer {
  readonly ref: Ref
  readonly digest: number
  readonly value: unknown
}

interface SessionWindow {
  readonly session: SessionId
  /** The highest ref whose answer is no longer kept; 0 while all are. */
  readonly floor: Ref
  /** The highest ref that was logged: most requests are above it, and need no search. */
  readonly highest: Ref
  /** By time of logging, newest last; the first of them may be kept no longer. */
  readonly answers: readonly Answer[]
  /** The answers after those: one more writes this short list anew, not the long one. Absent in what earlier versions stored. */
  readonly recent?: readonly Answer[]
  readonly at: number
}

/** Per player, the sessions whose requests were logged, the most recent last. */
export type Windows = Readonly<Record<PlayerId, readonly SessionWindow[]>>

export type Lookup = { known: false } | { known: true; value: unknown } | { known: 'conflict'; why: string }

/** Tells whether a request was logged before, and its answer then. Pure. */
export const lookUp = (windows: Windows, by: PlayerId, session: SessionId, ref: Ref, digest: number): Lookup => {
  const window = Object.hasOwn(windows, by) ? windows[by]?.find((w) => w.session === session) : undefined
  if (window === undefined || ref > window.highest) return { known: false }
  const answer = answerTo(ref, window)
  if (answer !== undefined) {
    if (answer.digest === digest) return { known: true, value: answer.value }
    return { known: 'conflict', why: `Ref ${ref} was used for another request. Use a new ref.` }
  }
  if (ref <= window.floor)
    return { known: 'conflict', why: `The answer to ref ${ref} is no longer kept. Use a ref above ${window.floor}.` }
  return { known: false }
}

/** Whether this session has had something with this digest logged under a later ref, as far as that is kept. Pure. */
export const hasLater = (windows: Windows, by: PlayerId, session: SessionId, ref: Ref, digest: number): boolean => {
  const window = Object.hasOwn(windows, by) ? windows[by]?.find((w) => w.session === session) : undefined
  if (window === undefined || ref >= window.highest) return false
  return [...window.answers, ...(window.recent ?? [])].some((answer) => answer.ref > ref && answer.digest === digest)
}

const NONE: readonly Answer[] = []

/** How many of the first answers are kept no longer. */
const tooMany = (answers: readonly Answer[], recent: readonly Answer[]): number =>
  Math.max(0, answers.length + recent.length - ANSWERS_KEPT)

const answerTo = (ref: Ref, { answers, recent = NONE }: SessionWindow): Answer | undefined => {
  const isIt = (answer: Answer): boolean => answer.ref === ref
  return recent.find(isIt) ?? answers.slice(tooMany(answers, recent)).find(isIt)
}

/** The windows with one more logged request, bounded per session and player. Pure. */
export const remember = (
  windows: Windows,
  origin: { by: PlayerId; session: SessionId; ref: Ref; digest: number },
  value: unknown,
  at: number,
): Windows => {
  const sessions = (Object.hasOwn(windows, origin.by) ? windows[origin.by] : undefined) ?? []
  const old = sessions.find((w) => w.session === origin.session)
  const answers = old?.answers ?? NONE
  // No longer than it must be: `[...list, x]` takes up to half as much again, and there is one for each session.
  const recent = (old?.recent ?? NONE).concat({ ref: origin.ref, digest: origin.digest, value })
  const gone = tooMany(answers, recent)
  const isLong = recent.length >= RECENT_MOST
  const window: SessionWindow = {
    session: origin.session,
    floor: Math.max(old?.floor ?? 0, answers[gone - 1]?.ref ?? 0),
    highest: Math.max(old?.highest ?? 0, origin.ref),
    answers: isLong ? answers.slice(gone).concat(recent) : answers,
    recent: isLong ? NONE : recent,
    at,
  }
  const others = sessions.filter((w) => w !== old)
  const kept = others.length >= SESSIONS_KEPT ? others.slice(1) : others
  return { ...windows, [origin.by]: kept.concat(window) }
}

/** The windows without those of strangers who have long been silent; the same object where nothing goes. Pure. */
export const prune = (windows: Windows, isMember: (player: PlayerId) => boolean, at: number): Windows => {
  const players = Object.keys(windows)
  if (players.length <= PLAYERS_BEFORE_PRUNING) return windows
  const stays = (player: PlayerId): boolean =>
    isMember(player) || (windows[player] ?? []).some((w) => w.at > at - STRANGER_KEPT_MS)
  if (players.every(stays)) return windows
  return Object.fromEntries(players.filter(stays).map((p) => [p, windows[p] ?? []]))
}
