import { expect, test } from 'vitest'
import { type Layer, layerFor } from './layers.ts'

test('a tile gets the smallest layer that fills it', () => {
  expect([1, 320, 384, 385, 640, 768, 769, 4_000].map((width) => layerFor(width, null))).toEqual([
    0, 0, 0, 1, 1, 1, 2, 2,
  ])
})

test('near a limit the layer stays as it is, whichever side it came from', () => {
  const through = (widths: readonly number[]): Layer[] => {
    let layer: Layer | null = null
    return widths.map((width) => {
      layer = layerFor(width, layer)
      return layer
    })
  }
  expect(through([380, 390, 380, 450, 390, 340, 330])).toEqual([0, 0, 0, 1, 1, 1, 0])
  expect(through([760, 780, 900, 700, 660, 200])).toEqual([1, 1, 2, 2, 1, 0])
})
