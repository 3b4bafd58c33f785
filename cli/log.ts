import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/**
 * Keys that may hold a credential, a player's words or a name: whatever is logged under them is dropped, at the top and one
 * level down. Log room, player (an id) and seq in their place.
 */
const NEVER_LOGGED = [
  'token',
  'secret',
  'authorization',
  'cookie',
  'payload',
  'params',
  'options',
  'document',
  'frame',
  'frames',
  'name',
  'names',
  'text',
  'detail',
] as const

/** A logger: JSON lines on stdout, or readable ones where that is a terminal. Drops what must not be in a log. */
export const createLog = (
  level: string,
  destination: { write(line: string): void } = isatty(1)
    ? pretty({ colorize: true, ignore: 'pid,hostname', sync: true })
    : process.stdout,
): Logger =>
  pino(
    {
      level,
      base: null,
      redact: { paths: NEVER_LOGGED.flatMap((key) => [key, `*.${key}`]), remove: true },
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  )

export type { Logger }
