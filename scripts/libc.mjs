import { readFileSync } from 'node:fs'

const OLDEST_GLIBC = 2.36

/** From this version on, uWebSockets.js loads as its author built it. */
const UNPATCHED_FROM_GLIBC = 2.38

const SYSTEMS = 'Debian 12, Ubuntu 24.04 or a newer system'

/**
 * What is wrong with this system's C library, in one line, or null. Pure.
 * @param {{ platform: string, glibc: string | null, system: string }} machine `glibc` as 2.36, null where libc is another; `system` as Ubuntu 22.04
 * @returns {string | null}
 */
export const libcProblem = ({ platform, glibc, system }) => {
  if (platform !== 'linux') return null
  const needs = `Madang needs glibc ${OLDEST_GLIBC} or newer`
  if (glibc === null) return `${needs}; ${system} has another C library (musl?). Use ${SYSTEMS}.`
  if (minor(glibc) >= minor(String(OLDEST_GLIBC))) return null
  const but = system === 'Ubuntu 22.04' ? '; no build of uWebSockets.js loads there' : ''
  return `${needs}; ${system} has ${glibc}${but}. Use ${SYSTEMS}.`
}

/**
 * True where the C library is too old for uWebSockets.js as it was built. Pure.
 * @param {string | null} glibc
 */
export const needsPatchedUws = (glibc) => glibc !== null && minor(glibc) < minor(String(UNPATCHED_FROM_GLIBC))

/** @param {string} version of glibc 2: its minor number */
const minor = (version) => Number(version.split('.')[1])

/** The C library and the system's name, as this process finds them. */
export const readMachine = () => {
  // Without it the report looks up the names of all sockets.
  Object.assign(process.report, { excludeNetwork: true })
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return { platform: process.platform, glibc: report.header.glibcVersionRuntime ?? null, system: systemName() }
}

const systemName = () => {
  try {
    const release = readFileSync('/etc/os-release', 'utf8')
    /** @param {string} key */
    const value = (key) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(release)?.[1] ?? ''
    return `${value('NAME').replace(' GNU/Linux', '')} ${value('VERSION_ID')}`.trim()
  } catch {
    return 'this system'
  }
}
