import type { types } from 'mediasoup-client'
import type { Source } from './types.ts'

const KBIT = 1_000
/** Of a camera, from the smallest: about 180, 360 and 720 lines. */
const LAYERS = [150 * KBIT, 500 * KBIT, 1_500 * KBIT]
const SCREEN = 2_500 * KBIT
/** Below these many lines of the camera, browsers send two layers, or one, whatever they are asked for. */
const THREE_LAYERS = 540
const TWO_LAYERS = 270
/** Parts of a layer that can be left out, so that a weak network gets fewer pictures rather than broken ones. */
const TEMPORAL = 'L1T3'

/** How a picture is sent: cameras in layers, each half as wide as the next, as many as its `lines` carry; screens in one. Pure. */
export const encodingsOf = (source: 'camera' | 'screen', lines: number | undefined): types.RtpEncodingParameters[] => {
  if (source === 'screen') return [{ maxBitrate: SCREEN, scalabilityMode: TEMPORAL }]
  const count = lines === undefined || lines >= THREE_LAYERS ? 3 : lines >= TWO_LAYERS ? 2 : 1
  return LAYERS.slice(0, count).map((maxBitrate, layer) => ({
    maxBitrate,
    scaleResolutionDownBy: 2 ** (count - 1 - layer),
    scalabilityMode: TEMPORAL,
  }))
}

/** How sound is sent: speech rests in silence and survives lost packets, the sound of a screen stays as it is. Pure. */
export const soundOf = (source: 'microphone' | 'screen-audio'): types.ProducerCodecOptions =>
  source === 'microphone'
    ? { opusStereo: false, opusDtx: true, opusFec: true }
    : { opusStereo: true, opusDtx: false, opusFec: true }

/** What the browser should keep where it must choose. Pure. */
export const hintOf = (source: Source): string =>
  ({ camera: 'motion', microphone: 'speech', screen: 'detail', 'screen-audio': 'music' })[source]
