import { afterAll } from 'vitest'
import { type Program, startMadang, temporaryFolder } from '../program.ts'

export interface ProgramOfFile extends Program {
  /** Its data folder. */
  readonly data: string
  /** Starts it once more where it was, after a `kill`. */
  again(): Promise<void>
}

/** The real program for the tests of one file, on a data folder of its own; both are gone after the last of them. */
export const programOfThisFile = async (...args: readonly string[]): Promise<ProgramOfFile> => {
  const data = temporaryFolder()
  afterAll(() => data[Symbol.dispose]())
  const start = (port?: number): Promise<Program> =>
    startMadang(['--data', data.path, ...args], port === undefined ? {} : { port })
  let program = await start()
  afterAll(async () => {
    await program.kill()
  })
  const { url, port } = program
  return {
    url,
    port,
    get pid() {
      return program.pid
    },
    output: () => program.output(),
    kill: (signal) => program.kill(signal),
    data: data.path,
    async again() {
      program = await start(port)
    },
  }
}
