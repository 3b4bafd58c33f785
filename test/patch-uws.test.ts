import { expect, test } from 'vitest'
import { patch } from '../scripts/patch-uws-glibc.mjs'
import { judgeUws } from '../scripts/uws.mjs'

const HEADER_BYTES = 64
const SECTION_BYTES = 64

/** Text after text, each ended by a zero, with the offset of each. */
const stringTable = (texts: readonly string[]) => {
  const at = new Map<string, number>()
  let bytes = Buffer.from([0])
  for (const text of texts) {
    at.set(text, bytes.length)
    bytes = Buffer.concat([bytes, Buffer.from(`${text}\0`, 'latin1')])
  }
  return { bytes, offset: (text: string) => at.get(text) ?? 0 }
}

/** The smallest ELF file that takes `symbols` from versions of libc, as a shared library does: only what the patch reads. */
const elfThatNeeds = (versions: readonly string[], symbols: readonly { name: string; version: string }[]): Buffer => {
  const strings = stringTable(['libc.so.6', ...versions, ...symbols.map(({ name }) => name)])
  const symbolTable = Buffer.alloc(24 * symbols.length)
  const symbolVersions = Buffer.alloc(2 * symbols.length)
  symbols.forEach(({ name, version }, index) => {
    symbolTable.writeUInt32LE(strings.offset(name), 24 * index)
    symbolVersions.writeUInt16LE(2 + versions.indexOf(version), 2 * index)
  })
  const needs = Buffer.alloc(16 + 16 * versions.length)
  needs.writeUInt16LE(versions.length, 2)
  needs.writeUInt32LE(strings.offset('libc.so.6'), 4)
  needs.writeUInt32LE(16, 8)
  versions.forEach((version, index) => {
    const at = 16 + 16 * index
    needs.writeUInt32LE(1000 + index, at) // a hash that tells them apart
    needs.writeUInt16LE(2 + index, at + 6)
    needs.writeUInt32LE(strings.offset(version), at + 8)
    needs.writeUInt32LE(16, at + 12)
  })
  const sections = [
    { type: 3, body: strings.bytes, link: 0, entries: 0 },
    { type: 11, body: symbolTable, link: 0, entries: 0 },
    { type: 0x6fffffff, body: symbolVersions, link: 0, entries: 0 },
    { type: 0x6ffffffe, body: needs, link: 0, entries: 1 },
  ]
  const head = Buffer.alloc(HEADER_BYTES + SECTION_BYTES * sections.length)
  head.write('\x7fELF\x02\x01', 'latin1')
  head.writeBigUInt64LE(BigInt(HEADER_BYTES), 0x28)
  head.writeUInt16LE(SECTION_BYTES, 0x3a)
  head.writeUInt16LE(sections.length, 0x3c)
  let offset = head.length
  sections.forEach(({ type, body, link, entries }, index) => {
    const at = HEADER_BYTES + SECTION_BYTES * index
    head.writeUInt32LE(type, at + 4)
    head.writeBigUInt64LE(BigInt(offset), at + 0x18)
    head.writeBigUInt64LE(BigInt(body.length), at + 0x20)
    head.writeUInt32LE(link, at + 0x28)
    head.writeUInt32LE(entries, at + 0x2c)
    offset += body.length
  })
  return Buffer.concat([head, ...sections.map(({ body }) => body)])
}

const VERSIONS = ['GLIBC_2.2.5', 'GLIBC_2.14', 'GLIBC_2.38']
const c23 = () =>
  elfThatNeeds(VERSIONS, [
    { name: '__isoc23_strtol', version: 'GLIBC_2.38' },
    { name: 'memcpy', version: 'GLIBC_2.14' },
  ])

test('the C23 spellings are taken from the oldest glibc under their old names, and nothing else changes', () => {
  const elf = c23()
  const before = Buffer.from(elf)
  expect(patch(elf)).toEqual(['__isoc23_strtol'])
  expect(elf.length).toBe(before.length)
  const symbol = elf.indexOf('__isoc23_strtol', 0, 'latin1')
  const changed = [...elf.keys()].filter((index) => elf[index] !== before[index])
  // One byte of the symbol's name offset, two of the version's hash, one of its name.
  expect(changed.length).toBeLessThanOrEqual(4)
  const strings = HEADER_BYTES + SECTION_BYTES * 4
  const nameAt = elf.readUInt32LE(elf.readUInt32LE(HEADER_BYTES + SECTION_BYTES + 0x18))
  expect(strings + nameAt).toBe(symbol + '__isoc23_'.length)
  const newest = elf.length - 16
  expect(elf.readUInt32LE(newest)).toBe(1000)
  expect(strings + elf.readUInt32LE(newest + 8)).toBe(elf.indexOf('GLIBC_2.2.5', 0, 'latin1'))
})

test('a patched file needs no patch, and one that never asked for 2.38 is left alone', () => {
  const elf = c23()
  patch(elf)
  const once = Buffer.from(elf)
  expect(patch(elf)).toEqual([])
  expect(elf.equals(once)).toBe(true)
  expect(patch(elfThatNeeds(['GLIBC_2.2.5'], [{ name: 'memcpy', version: 'GLIBC_2.2.5' }]))).toEqual([])
})

test('a file that takes more than spellings from 2.38 is refused, untouched', () => {
  const elf = elfThatNeeds(VERSIONS, [
    { name: '__isoc23_strtol', version: 'GLIBC_2.38' },
    { name: 'strlcpy', version: 'GLIBC_2.38' },
  ])
  const before = Buffer.from(elf)
  expect(() => patch(elf)).toThrow('GLIBC_2.38 is also wanted for strlcpy')
  expect(elf.equals(before)).toBe(true)
  expect(() => patch(Buffer.alloc(200))).toThrow('not a 64-bit little-endian ELF file')
})

test('a build that nobody looked at is not patched where it needs to be, and used where it does not', () => {
  expect(judgeUws(c23(), 'x64_137')).toBe('unknown')
  expect(judgeUws(elfThatNeeds(VERSIONS, [{ name: 'strlcpy', version: 'GLIBC_2.38' }]), 'x64_137')).toBe('unknown')
  expect(judgeUws(elfThatNeeds(['GLIBC_2.2.5'], []), 'x64_137')).toBe('loads')
})
