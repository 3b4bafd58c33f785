import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const HEARTBEAT_MS = 2_000
const ABANDONED_AFTER_MS = 20_000
const POLL_MS = 200

/** @typedef {{ pid: number, child: number | null, host: string }} Holder `child`: a process, or a group of them where it is below 0 */

/**
 * Runs `task` while no other process holds the lock file, and waits for one that does (calling `waiting` once).
 * A holder that was killed is recognised by its process, or by its silence where it ran on another host; what it started
 * (told by `working`) must have ended as well.
 * @template T
 * @param {string} file
 * @param {(holder: Holder) => void} waiting
 * @param {(working: (child: number | null) => void) => Promise<T>} task
 * @returns {Promise<T>}
 */
export const withLock = async (file, waiting, task) => {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  while (!take(file)) {
    const holder = readHolder(file)
    if (holder === null) continue
    if (isAbandoned(file, holder)) removeAbandoned(file)
    else {
      if (!told) waiting(holder)
      told = true
      await sleep(POLL_MS)
    }
  }
  const heartbeat = setInterval(() => utimesSync(file, new Date(), new Date()), HEARTBEAT_MS)
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await task((child) => writeFileSync(file, describe(child)))
  } finally {
    clearInterval(heartbeat)
    process.off('exit', release)
    release()
  }
}

/** @param {number | null} child */
const describe = (child) => JSON.stringify({ pid: process.pid, child, host: hostname() })

/**
 * True where the lock file was made by this call.
 * @param {string} file
 */
const take = (file) => {
  try {
    const handle = openSync(file, 'wx')
    writeFileSync(handle, describe(null))
    closeSync(handle)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * Who holds the lock; null where it is gone. A file that cannot be read (its holder is writing it, or died doing so)
 * names nobody, and is given up by its age.
 * @param {string} file
 * @returns {Holder | null}
 */
const readHolder = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return hasCode(error, 'ENOENT') ? null : { pid: 0, child: null, host: '' }
  }
}

/**
 * @param {string} file
 * @param {Holder} holder
 */
const isAbandoned = (file, holder) => {
  const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
  if (holder.host !== hostname()) return age > ABANDONED_AFTER_MS
  if (holder.child !== null && isAlive(holder.child)) return false
  return !isAlive(holder.pid) || age > ABANDONED_AFTER_MS
}

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

/**
 * Of several that wait, one removes the file, and only after looking again: else the second would remove the lock that
 * the first has just taken.
 * @param {string} file
 */
const removeAbandoned = (file) => {
  const guard = `${file}.removal`
  const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
  if (age > ABANDONED_AFTER_MS) rmSync(guard, { force: true })
  if (!take(guard)) return
  try {
    const holder = readHolder(file)
    if (holder !== null && isAbandoned(file, holder)) rmSync(file, { force: true })
  } finally {
    rmSync(guard, { force: true })
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
const hasCode = (error, code) => error instanceof Error && 'code' in error && error.code === code
