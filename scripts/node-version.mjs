// Kept in old syntax, so that an old Node runs it and can say what is needed.

const OLDEST_NODE = 20

/**
 * What is wrong with running Madang's set-up on this Node, in one line, or null. Pure.
 * @param {string} version as in process.version
 * @returns {string | null}
 */
export function nodeProblem(version) {
  const major = Number(version.replace('v', '').split('.')[0])
  if (major >= OLDEST_NODE) return null
  return `Madang needs Node ${OLDEST_NODE} or newer; this is ${version}. Install a newer one from https://nodejs.org.`
}

/**
 * True where this Node will do; otherwise says so on stderr and sets the exit code.
 * @returns {boolean}
 */
export function checkNode() {
  const problem = nodeProblem(process.version)
  if (problem === null) return true
  console.error(problem)
  process.exitCode = 1
  return false
}
