import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bytesOf, testChance } from './conformance-values.ts'
import { DataFolderInUse, StorageError } from './log.ts'
import { openSqlite } from './sqlite.ts'
import { LOG_FILE, openFolder } from './sqlite-folder.ts'
import { openSqliteReadonly } from './sqlite-reader.ts'

describe('a data folder', () => {
  let base: string
  let dir: string
  const open = () => openSqlite({ dir, chance: testChance })
  const refusal = async (opening: Promise<unknown> = open()): Promise<string> => {
    const error = await opening.then(
      () => null,
      (reason) => reason,
    )
    expect(error).toBeInstanceOf(StorageError)
    expect(error.message).not.toContain('\n')
    return error.message
  }
  const written = async () => {
    const storage = await open()
    let position = 0
    for (let n = 0; n < 400; n++) position = await storage.append('a', position, testChance.bytes(2000))
    await storage.close()
    return join(dir, LOG_FILE)
  }

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'madang-folder-'))
    dir = base
  })
  afterEach(() => {
    chmodSync(base, 0o700)
    rmSync(base, { recursive: true, force: true })
  })

  test('is made where it is missing, and only its owner may read it', async () => {
    dir = join(dir, 'deep', 'data')
    const storage = await open()
    await storage.append('a', 0, bytesOf('x'))
    const modes = readdirSync(dir).map((file) => [file, statSync(join(dir, file)).mode & 0o777])
    expect(modes.length).toBe(4)
    expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    await storage.close()
  })

  test('takes one owner at a time: the second is refused with one line that names the folder', async () => {
    const storage = await open()
    const second = open()
    await expect(second).rejects.toThrow(DataFolderInUse)
    expect(await refusal(second)).toContain(`data folder in use: ${dir}`)
    const program = `import { openFolder } from ${JSON.stringify(new URL('./sqlite-folder.ts', import.meta.url).href)}
      try { openFolder(${JSON.stringify(dir)}).close() } catch (error) { console.log(error.name) }`
    const child = () => spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(child()).toMatchObject({ stdout: 'DataFolderInUse\n', status: 0 })
    await storage.append('a', 0, bytesOf('the refused ones did no harm'))
    await storage.close()
    expect(child()).toMatchObject({ stdout: '', status: 0 })
  })

  test('that is a file, or lies in one, is refused as no directory', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    dir = file
    expect(await refusal()).toContain('not a directory')
    dir = join(file, 'data')
    expect(await refusal()).toContain('not a directory')
  })

  test('without write permission is refused, and says so', () => {
    chmodSync(dir, 0o500)
    const root = process.geteuid?.() === 0
    // Root may write anywhere: the check needs a user who may not.
    if (root) process.seteuid?.(65_534)
    try {
      expect(() => openFolder(dir)).toThrow(/no permission.*--data/)
      expect(() => openFolder(join(dir, 'new'))).toThrow(/no permission.*--data/)
    } finally {
      if (root) process.seteuid?.(0)
    }
    expect(readdirSync(dir)).toEqual([])
  })

  test('whose log is no database, or another program’s, is refused and left as it is', async () => {
    const file = join(dir, LOG_FILE)
    writeFileSync(file, 'Dear diary, today I wrote some more than one hundred bytes of text. '.repeat(30))
    expect(await refusal()).toContain('not a database')
    expect(await refusal(openSqliteReadonly(dir))).toContain('not a database')
    rmSync(file)
    const other = new DatabaseSync(file)
    other.exec('CREATE TABLE bookmarks (url TEXT)')
    other.close()
    const size = statSync(file).size
    expect(await refusal()).toContain("not Madang's")
    expect(await refusal(openSqliteReadonly(dir))).toContain("not Madang's")
    expect([statSync(file).size, existsSync(`${file}-wal`)]).toEqual([size, false])
  })

  test('of a newer format is refused with the advice to update', async () => {
    const file = await written()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 2')
    db.close()
    expect(await refusal()).toMatch(/newer Madang \(format 2, this one knows 1\): update/)
    expect(await refusal(openSqliteReadonly(dir))).toContain('update')
  })

  test('whose log was cut short is refused as damaged; what refuses it lets go of it', async () => {
    const file = await written()
    truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096)
    expect(await refusal()).toMatch(/damaged.*backup/)
    expect(await refusal()).toMatch(/damaged.*backup/)
    expect(await refusal(openSqliteReadonly(dir))).toMatch(/damaged.*backup/)
    truncateSync(file, 50)
    expect(await refusal()).toMatch(/not a database|damaged/)
  })

  test('that holds a folder in the place of the log is refused', async () => {
    mkdirSync(join(dir, LOG_FILE))
    expect(await refusal()).toContain('--data')
  })
})
