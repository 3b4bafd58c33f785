import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainValue } from '../../protocol/plain.arbitrary.ts'
import { testChance } from './conformance-values.ts'
import { NONCE_BYTES, SealBroken, seal, sealContext, unseal } from './seal.ts'

const key = testChance.bytes(32)
const nonce = () => testChance.bytes(NONCE_BYTES)
const here = sealContext('room-1', 'ann')

describe('a sealed value', () => {
  test('comes back as it was under its key and in its place', () => {
    fc.assert(
      fc.property(plainValue(), (plain) => {
        expect(unseal(key, seal(key, plain, nonce(), here), here)).toEqual(plain)
      }),
    )
  })

  test('shows nothing of the words in it', () => {
    const sealed = seal(key, { text: 'Hye-jin has the key' }, nonce(), here)
    expect(Buffer.from(sealed).includes('Hye-jin')).toBe(false)
    expect(seal(key, 'same', nonce(), here)).not.toEqual(seal(key, 'same', nonce(), here))
  })

  test('cannot be moved to another room or player, nor opened with another key', () => {
    const sealed = seal(key, 'Ann', nonce(), here)
    expect(() => unseal(key, sealed, sealContext('room-2', 'ann'))).toThrow(SealBroken)
    expect(() => unseal(key, sealed, sealContext('room-1', 'bob'))).toThrow(SealBroken)
    expect(() => unseal(testChance.bytes(32), sealed, here)).toThrow(SealBroken)
  })

  test('with any single bit changed, or cut short, is refused with an error that names its place', () => {
    const sealed = seal(key, 'Ann', nonce(), here)
    for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
      const changed = new Uint8Array(sealed)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => unseal(key, changed, here)).toThrow('room-1/ann')
    }
    for (let length = 0; length < sealed.byteLength; length++) {
      expect(() => unseal(key, sealed.subarray(0, length), here)).toThrow(SealBroken)
    }
  })

  test('is not made with a key or nonce of a wrong size, or from nothing', () => {
    expect(() => seal(key.subarray(1), 'x', nonce(), here)).toThrow(RangeError)
    expect(() => seal(key, 'x', new Uint8Array(16), here)).toThrow(RangeError)
    expect(() => seal(key, undefined, nonce(), here)).toThrow(TypeError)
    expect(() => unseal(key.subarray(1), new Uint8Array(40), here)).toThrow(RangeError)
  })
})
