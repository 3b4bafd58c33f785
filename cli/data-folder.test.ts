import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CannotStart } from './cannot-start.ts'
import { openKeys } from './data-folder.ts'
import { realChance } from './real.ts'

let folder = ''
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'madang-data-')), 'data')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

test('the keys are made once, random, and readable by their owner alone', () => {
  const first = openKeys(folder, realChance)
  expect(openKeys(folder, realChance)).toEqual(first)
  expect(first.guests).toHaveLength(32)
  expect(first.guests).not.toEqual(first.cluster)
  expect(readdirSync(folder).sort()).toEqual(['cluster.key', 'guests.key'])
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
})

test('of two processes that make a key at the same time, both use the same one', () => {
  let other: Uint8Array | null = null
  const meanwhile = {
    uint32: realChance.uint32,
    bytes: (n: number) => {
      if (n === 32 && other === null) {
        other = new Uint8Array()
        other = openKeys(folder, realChance).guests
      }
      return realChance.bytes(n)
    },
  }
  expect(openKeys(folder, meanwhile).guests).toEqual(other)
})

test('a damaged key is refused, never replaced', () => {
  openKeys(folder, realChance)
  writeFileSync(join(folder, 'guests.key'), 'short')
  expect(() => openKeys(folder, realChance)).toThrow(CannotStart)
  expect(() => openKeys(folder, realChance)).toThrow(/guests\.key is damaged/)
})

test('a data folder that cannot be one is refused in one line', () => {
  writeFileSync(folder, 'a file')
  expect(() => openKeys(folder, realChance)).toThrow(/^data folder .*: it is not a folder: choose another with --data$/)
})
