/** What a player publishes: one track of each, and what kind of media it is. */
export const KIND_OF = {
  camera: 'video',
  microphone: 'audio',
  screen: 'video',
  'screen-audio': 'audio',
} as const

export type Source = keyof typeof KIND_OF
export type MediaKind = (typeof KIND_OF)[Source]
