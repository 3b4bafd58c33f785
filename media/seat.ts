import type { AudioLevelObserver, Router } from 'mediasoup/types'
import type { RunningWorker } from './workers.ts'

/**
 * mediasoup counts a microphone from 10 packets of 20 ms on: a quarter may be lost. Not in step with sounds that come twice a second:
 * what fell between two counts would never be heard.
 */
const LEVELS_EVERY_MS = 280
const QUIET_DB = -60
const MOST_SPEAKERS = 12

/** A room's place on one worker. */
export interface Seat {
  readonly worker: RunningWorker
  readonly router: Router
  readonly levels: AudioLevelObserver
}

/** Rejects where the worker has ended. */
export const openSeat = async (worker: RunningWorker): Promise<Seat> => {
  const router = await worker.createRouter()
  const levels = await router.createAudioLevelObserver({
    interval: LEVELS_EVERY_MS,
    threshold: QUIET_DB,
    maxEntries: MOST_SPEAKERS,
  })
  return { worker, router, levels }
}
