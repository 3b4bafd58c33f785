/** Something that the user must change before set-up can go on. The message says what, in one line. */
export class Problem extends Error {
  /** @override */
  name = 'Problem'
}

/**
 * Runs `task`; a Problem is printed as its one line and ends with exit code 1, and the result is then null.
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T | null>}
 */
export const orSayWhy = async (task) => {
  try {
    return await task()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    console.error(error.message)
    process.exitCode = 1
    return null
  }
}
