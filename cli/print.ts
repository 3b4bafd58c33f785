import type { CliExit } from './flags.ts'

/** Prints to stdout what was asked for, to stderr what is wrong; returns the exit code. */
export const print = ({ exit, text }: CliExit): number => {
  const stream = exit === 0 ? process.stdout : process.stderr
  stream.write(`${text.trimEnd()}\n`)
  return exit
}
