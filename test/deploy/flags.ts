import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Config, parseStart } from '../../cli/config.ts'

/** What stands for all that only the installed system knows. */
export const SECRET = 'p0123456789abcdef'

/** The environment variables of `madang start`, as its --help names them. */
export const variables = (): string[] => {
  const help = parseStart(['--help'], {})
  if (!('exit' in help)) throw new Error('--help is no help')
  return help.text.match(/MADANG_[A-Z_]+/g) ?? []
}

/**
 * What `madang start` makes of an environment. Fails the test where it would not start, or where a variable is none of its own: that
 * would be passed over in silence. Of a secret in a file only the file's content is made up.
 */
export const expectStarts = (env: Readonly<Record<string, string>>): Config => {
  const folder = mkdtempSync(join(tmpdir(), 'madang-secret-'))
  try {
    const file = join(folder, 'secret')
    writeFileSync(file, SECRET)
    const given = Object.entries(env).map(([name, value]) => [name, name.endsWith('_FILE') ? file : value] as const)
    for (const [name] of given)
      if (name.startsWith('MADANG_')) expect(variables()).toContain(name.replace(/_FILE$/, ''))
    const config = parseStart([], Object.fromEntries(given))
    if ('exit' in config) throw new Error(`madang start says: ${config.text}`)
    return config
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The variables that the image sets. */
export const imageEnvironment = (dockerfile: string): Record<string, string> => {
  const block = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]))
}
