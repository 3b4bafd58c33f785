import { fileURLToPath } from 'node:url'
import { findMediaWorker as find, type MediaWorker } from '../scripts/media-worker/find.mjs'
import { ROOT } from './places.ts'

export type { MediaWorker }

/** What there is of mediasoup's worker now; reads some small files at each call. `failed` is not the end: the next start tries again. */
export const findMediaWorker = (env: NodeJS.ProcessEnv): MediaWorker => find(fileURLToPath(ROOT), env)
