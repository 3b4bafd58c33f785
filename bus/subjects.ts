/** Where rooms live is fixed at creation: FNV-1a (32 bit) of the room id, modulo the number of partitions. */
export const PARTITIONS = 256

export const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

export const partitionOf = (room: string): number => fnv1a(room) % PARTITIONS

/** Commands for the rooms of one partition; its owner listens. */
export const commandSubject = (partition: number): string => `cmd.${partition}`
/** The partition that queues MATCH requests for a game. */
export const matchPartition = (game: string): number => partitionOf(`match.${game}`)
/** Questions that every engine answers. */
export const ASK_SUBJECT = 'ask'
/** Everything that engines send to one gateway, in one numbered stream per engine. */
export const gatewaySubject = (gateway: string): string => `gw.${gateway}`
/** What engines say to one media node, and other media nodes. */
export const mediaNodeSubject = (node: string): string => `media.${node}`
/** What media nodes say to one engine. */
export const engineSubject = (engine: string): string => `engine.${engine}`
/** Where media nodes say that they are there, and which of their rooms have lost their owner; every engine listens. */
export const MEDIA_NODES_SUBJECT = 'media-nodes'
/** Where gateways say that they are there; every engine listens. */
export const GATEWAYS_SUBJECT = 'gateways'
/** Where engines say what they own; every gateway listens. */
export const ENGINES_SUBJECT = 'engines'
/** Where engines say which of their public rooms have seats; every engine listens. */
export const SEATS_SUBJECT = 'seats'
/** What every media node answers that has part of the room in question. */
export const MEDIA_QUESTIONS_SUBJECT = 'media-questions'
