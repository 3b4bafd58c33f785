import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { storageConformance } from './conformance.ts'
import { testChance } from './conformance-values.ts'
import type { Storage } from './log.ts'
import { openSqlite } from './sqlite.ts'

const folders: string[] = []
const freshFolder = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'madang-log-'))
  folders.push(dir)
  return dir
}
afterEach(async () => {
  for (const dir of folders.splice(0)) await rm(dir, { recursive: true, force: true })
})

storageConformance('sqlite', {
  async open() {
    const dir = await freshFolder()
    let storage: Storage = await openSqlite({ dir, chance: testChance })
    return {
      storage,
      async reopen() {
        await storage.close()
        storage = await openSqlite({ dir, chance: testChance })
        return storage
      },
    }
  },
})
