import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = new URL('../', import.meta.url)

/** The folders of games that `madang` knows without `--games`. */
export const SAMPLE_GAMES = [fileURLToPath(new URL('games/', ROOT))]
