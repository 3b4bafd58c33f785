/** Why Madang cannot run as it was asked to, in one line that says what to do. Ends with exit code 2. */
export class CannotStart extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CannotStart'
  }
}

/** The error's code as Node and the system give it (`EADDRINUSE`), or an empty string. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** The same promise, with errors of these kinds, which a user can mend, as CannotStart. */
export const expecting = async <T>(
  kinds: readonly (new (...args: never[]) => Error)[],
  work: Promise<T>,
): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && kinds.some((kind) => error instanceof kind))
      throw new CannotStart(error.message, { cause: error })
    throw error
  }
}
