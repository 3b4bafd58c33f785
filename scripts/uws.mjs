// Makes the installed uWebSockets.js loadable on glibc 2.36 and 2.37 (docs/decisions/uws-binary.md).
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needsPatchedUws } from './libc.mjs'
import { patch } from './patch-uws-glibc.mjs'
import { Problem } from './problem.mjs'

/** SHA-256 of the binaries in uwebsockets 3.0.6, and of the same after the patch. */
const KNOWN = /** @type {Record<string, { published: string, patched: string }>} */ ({
  x64_137: {
    published: '3b549c14e01d9d1faf234cdf4b6f0fb08158605e3692cd0eb1b905e327bd3449',
    patched: '176a33f82646b4ac277fd07f038b2d5eeacfaaf0bd27d30eead08879024689f0',
  },
  x64_141: {
    published: 'd22bae7642b872152cd0eeb682c6c2ffd186e91af8cf18cdf98be984a6549d49',
    patched: '9b6281aa56a19faa0da4aa9eaff013019ba9a4d9157c13ba5d64fe703f82874b',
  },
  arm64_137: {
    published: 'b6eb007d627e00bcce03ad38f197124e9027c03f6fe784b37f97b8a6ea709cb4',
    patched: 'e610b3277d652f4c675df07777ddb4f559f0337750f7bb1915f1d3778337f410',
  },
  arm64_141: {
    published: '1317f2e69ea1924ee8dd94ed02a3e6beb08e55d8b06f18caeda3d67a02857aee',
    patched: 'a46d8991aae0adf89cd2044b401c6f1fd50da36173d5657cafe4ebcc5dfaa20b',
  },
})

/**
 * Where the binary for a Node ABI lies.
 * @param {string} root
 * @param {string} abi
 */
export const uwsFile = (root, abi) =>
  join(root, 'node_modules', 'uWebSockets.js', `uws_${process.platform}_${process.arch}_${abi}.node`)

/**
 * What to do with a binary so that it loads on glibc 2.36: nothing (`loads`), the patch (`patch`), or nothing that is known to be
 * right (`unknown`: it asks for a newer glibc and is not a file that was looked at). Pure.
 * @param {Buffer} binary
 * @param {string} key as x64_137
 * @returns {'loads' | 'patch' | 'unknown'}
 */
export const judgeUws = (binary, key) => {
  const sha256 = createHash('sha256').update(binary).digest('hex')
  if (sha256 === KNOWN[key]?.patched) return 'loads'
  if (sha256 === KNOWN[key]?.published) return 'patch'
  try {
    return patch(Buffer.from(binary)).length === 0 ? 'loads' : 'unknown'
  } catch {
    return 'unknown'
  }
}

/**
 * True where the binary for this ABI loads on this system's glibc. Throws Problem where the file is missing, or is one that
 * asks for a newer glibc and is not known.
 * @param {string} root
 * @param {string} abi
 * @param {string | null} glibc
 */
export const uwsReady = (root, abi, glibc) => {
  const file = uwsFile(root, abi)
  if (!existsSync(file)) throw new Problem(`uWebSockets.js has no build for this system: ${file} is missing.`)
  if (!needsPatchedUws(glibc)) return true
  const verdict = judgeUws(readFileSync(file), `${process.arch}_${abi}`)
  if (verdict === 'unknown')
    throw new Problem(
      `${file} asks for a newer glibc than ${glibc} and is not a build that Madang knows how to patch: see docs/decisions/uws-binary.md.`,
    )
  return verdict === 'loads'
}

/**
 * Patches the binary in place: a new file takes its name, so that a process that has it loaded keeps the old one.
 * @param {string} root
 * @param {string} abi
 */
export const patchUws = (root, abi) => {
  const file = uwsFile(root, abi)
  const binary = readFileSync(file)
  patch(binary)
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, binary, { mode: 0o755 })
  renameSync(temporary, file)
}
