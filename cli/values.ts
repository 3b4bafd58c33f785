import { accessSync, constants, statSync } from 'node:fs'
import { z } from 'zod'

/** Values of flags that several commands take; their messages complete "must be …". */
export const text = z.string().min(1, 'something')
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
