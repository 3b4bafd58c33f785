import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decode, encode, readHead } from './codec.ts'
import { MalformedFrame } from './errors.ts'
import { OP } from './frames.ts'
import { fromJson, toJson } from './json.ts'
import { parseClientFrame, parseServerFrame } from './parse.ts'
import { apply } from './patch.ts'
import { decodeRecord } from './record.ts'
import { vectors } from './vectors.ts'

interface Vectors {
  frames: { name: string; json: [number, ...unknown[]]; hex: string }[]
  malformed: { why: string; reason: string; hex: string; repeat?: { hex: string; times: number } }[]
  notFrames: { why: string; hex: string }[]
  patches: { name: string; before: unknown; ops: unknown; after: unknown }[]
  badPatches: { why: string; before: unknown; ops: unknown; reason: string }[]
  records: { name: string; record: unknown; hex: string }[]
}

const file: Vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8'))
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

test('vectors.json is what the code makes: `node protocol/vectors.ts > protocol/vectors.json`', () => {
  expect(file).toEqual(vectors())
})

test('there is a frame for every op', () => {
  expect(new Set(file.frames.map(({ json }) => json[0]))).toEqual(new Set(Object.values(OP)))
})

test.each(file.frames)('frame $name: bytes and JSON are one value', ({ json, hex }) => {
  const value = decode(bytesOf(hex))
  expect(value).toEqual(fromJson(json))
  expect(toJson(value)).toEqual(json)
  expect(encode(value)).toEqual(bytesOf(hex))
  if (json[0] < 32) {
    expect(parseClientFrame(value)[0]).toBe(json[0])
    expect(readHead(bytesOf(hex)).bad).toBeNull()
  } else expect(parseServerFrame(value)?.[0]).toBe(json[0])
})

test.each(file.malformed)('malformed, $why', ({ hex, repeat, reason }) => {
  const bytes = bytesOf(hex + (repeat === undefined ? '' : repeat.hex.repeat(repeat.times)))
  expect(() => decode(bytes)).toThrow(new MalformedFrame(reason))
})

test.each(file.notFrames)('no frame, $why', ({ hex }) => {
  expect(() => readHead(bytesOf(hex))).toThrow(MalformedFrame)
  expect(() => parseClientFrame(decode(bytesOf(hex)))).toThrow(MalformedFrame)
})

test.each(file.patches)('patch, $name', ({ before, ops, after }) => {
  expect(apply(before, ops)).toEqual(after)
})

test.each(file.badPatches)('bad patch, $why', ({ before, ops, reason }) => {
  expect(() => apply(before, ops)).toThrow(new MalformedFrame(reason))
})

test.each(file.records)('record, $name', ({ record, hex }) => {
  expect(decodeRecord(bytesOf(hex))).toEqual(fromJson(record))
})
