import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'

const HEARTBEAT_MS = 2_000
const ABANDONED_AFTER_MS = 20_000

/**
 * @typedef {object} Progress What the process that prepares a worker says of itself, in a file beside it
 * @property {'fetching' | 'building' | 'failed'} state
 * @property {number | null} progress 0 to 1, of the compiler's work; null before it
 * @property {string | null} problem of `failed`
 * @property {string} at when it said so last, ISO 8601
 * @property {number} pid
 * @property {string} host
 */

/**
 * What the file says; null where there is none, or nothing that can be read.
 * @param {string} file
 * @returns {Progress | null}
 */
export const readProgress = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/**
 * True where the process that said so is at work no more: killed, or silent for 20 s.
 * @param {Progress} progress
 */
export const isStale = ({ at, pid, host }) =>
  Date.now() - Date.parse(at) > ABANDONED_AFTER_MS || (host === hostname() && !isAlive(pid))

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * How far `[done/all]`, as ninja begins its lines, is: 0 to 1, or null where there is none. The last of several counts. Pure.
 * @param {string} text
 */
export const ninjaProgress = (text) => {
  const [, done, all] = [...text.matchAll(/^\[(\d+)\/(\d+)\]/gm)].at(-1) ?? []
  return Number(all) > 0 ? Math.min(1, Number(done) / Number(all)) : null
}

/**
 * Keeps the file up to date, and its time too, until `end` takes it away or `fail` says why there is no worker.
 * @param {string} file
 */
export const createProgress = (file) => {
  /** @type {Pick<Progress, 'state' | 'progress' | 'problem'>} */
  let now = { state: 'fetching', progress: null, problem: null }
  const write = () => {
    const temporary = `${file}.${process.pid}`
    const all = { ...now, at: new Date().toISOString(), pid: process.pid, host: hostname() }
    writeFileSync(temporary, JSON.stringify(all))
    renameSync(temporary, file)
  }
  write()
  const heartbeat = setInterval(write, HEARTBEAT_MS)
  return {
    /** @param {number | null} progress */
    building(progress) {
      now = { state: 'building', progress, problem: null }
      write()
    },
    /** @param {string} problem */
    fail(problem) {
      clearInterval(heartbeat)
      now = { state: 'failed', progress: null, problem }
      write()
    },
    end() {
      clearInterval(heartbeat)
      rmSync(file, { force: true })
    },
  }
}
