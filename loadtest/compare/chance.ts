/** Returns numbers of 32 bits, the same ones for the same seed. */
export const chanceFrom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state
  }
}
