/** A layer of a camera's picture: about 320, 640 and 1280 pixels wide. */
export type Layer = 0 | 1 | 2

/** A layer is enough up to this width: a little blown up is not seen. */
const ENOUGH = [320 * 1.2, 640 * 1.2] as const
/** How far past a limit a tile must go before its layer changes again. */
const SLACK = 1.15

/** The smallest layer that looks well at this width; stays at `current` near a limit. Pure. */
export const layerFor = (width: number, current: Layer | null): Layer => {
  const exact = width <= ENOUGH[0] ? 0 : width <= ENOUGH[1] ? 1 : 2
  if (current === null || exact === current) return exact
  const nearer = exact > current ? width / SLACK : width * SLACK
  return nearer <= ENOUGH[0] ? 0 : nearer <= ENOUGH[1] ? 1 : 2
}
