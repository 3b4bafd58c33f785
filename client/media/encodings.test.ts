import { expect, test } from 'vitest'
import { encodingsOf, soundOf } from './encodings.ts'

test('a camera is sent in as many layers as its lines carry, each half as wide as the next, for more bits', () => {
  const scales = (lines?: number) =>
    encodingsOf('camera', lines).map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)
  expect(scales(720)).toEqual([4, 2, 1])
  expect(scales()).toEqual([4, 2, 1])
  expect(scales(360)).toEqual([2, 1])
  expect(scales(180)).toEqual([1])
  const rates = encodingsOf('camera', 720).map(({ maxBitrate = 0 }) => maxBitrate)
  expect(rates).toEqual([...rates].sort((a, b) => a - b))
  expect(new Set(rates).size).toBe(3)
})

test('a screen is sent in one layer, for more bits than the best of a camera', () => {
  const [screen, ...others] = encodingsOf('screen', 1_080)
  expect(others).toEqual([])
  expect(screen?.maxBitrate).toBeGreaterThan(encodingsOf('camera', 1_080).at(-1)?.maxBitrate ?? 0)
})

test('speech rests in silence and is one channel, the sound of a screen is two; both survive lost packets', () => {
  expect(soundOf('microphone')).toEqual({ opusStereo: false, opusDtx: true, opusFec: true })
  expect(soundOf('screen-audio')).toEqual({ opusStereo: true, opusDtx: false, opusFec: true })
})
