import { afterAll } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'

/** The real program for the tests of one file, on a data folder of its own; both are gone after the last of them. */
export const programOfThisFile = async (...args: readonly string[]): Promise<Program> => {
  const data = temporaryFolder()
  afterAll(() => data[Symbol.dispose]())
  const program = await startMadang(['--data', data.path, ...args])
  afterAll(async () => {
    await program.kill()
  })
  return program
}
