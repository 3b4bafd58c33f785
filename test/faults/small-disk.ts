import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIZE = '96m'
const CHUNK = new Uint8Array(1024 * 1024)

export interface SmallDisk extends Disposable {
  readonly path: string
  /** Leaves no byte on it. */
  fill(): void
  free(): void
}

/** A file system of its own that is soon full. Needs the right to mount one. */
export const smallDisk = (): SmallDisk => {
  const path = mkdtempSync(join(tmpdir(), 'madang-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'madang', path])
  const ballast = join(path, 'ballast')
  return {
    path,
    fill() {
      const file = openSync(ballast, 'w')
      try {
        for (;;) if (writeSync(file, CHUNK) === 0) return
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      execFileSync('umount', ['--lazy', path])
      rmSync(path, { recursive: true, force: true })
    },
  }
}
