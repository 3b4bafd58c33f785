import { accessSync, constants, statSync } from 'node:fs'
import { z } from 'zod'

/** Values of flags, as schemas whose messages complete "must be …". */
export const text = z.string().min(1, 'something')

/** Items with commas between. */
export const list = text.transform((given) =>
  given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

const isReadableFile = (path: string) => {
  try {
    accessSync(path, constants.R_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
export const file = text.refine(isReadableFile, 'a file that can be read')

/** A whole number, both ends included. */
export const whole = (min: number, max: number) => {
  const problem = `a whole number from ${min} to ${max}`
  const inRange = (digits: string) => Number(digits) >= min && Number(digits) <= max
  return z
    .string()
    .regex(/^\d{1,9}$/, problem)
    .refine(inRange, problem)
    .transform(Number)
}

export const oneOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.enum(names, { error: `one of ${names.join(', ')}` })

/** On or off. */
export const switched = z
  .string()
  .regex(/^(true|false|on|off|yes|no|1|0)$/, 'true or false')
  .transform((given) => /^(true|on|yes|1)$/.test(given))

const DURATION_UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A time in ms; null for `keep`. */
export const duration = z
  .string()
  .regex(/^(keep|[1-9]\d{0,5}[smhdw])$/, 'keep, or a time such as 12h or 30d')
  .transform((given) => {
    if (given === 'keep') return null
    const unit = z.enum(['s', 'm', 'h', 'd', 'w']).parse(given.at(-1))
    return Number(given.slice(0, -1)) * DURATION_UNIT_MS[unit]
  })

/** Whether it is a URL of one of these protocols, such as `https:`. */
export const isUrlOf = (protocols: readonly string[]) => (given: string) =>
  URL.canParse(given) && protocols.includes(new URL(given).protocol)

/** Whether it is the origin of a web page: scheme, host and port, and nothing more. */
export const isOrigin = (given: string) => isUrlOf(['http:', 'https:'])(given) && new URL(given).origin === given

export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
