import type { MediaSource } from '../bus/media-messages.ts'

/** What a player publishes: one track of each, and what kind of media it is. */
export const KIND_OF = {
  camera: 'video',
  microphone: 'audio',
  screen: 'video',
  'screen-audio': 'audio',
} as const satisfies Record<MediaSource, 'audio' | 'video'>

export type Source = MediaSource
export type MediaKind = (typeof KIND_OF)[Source]
