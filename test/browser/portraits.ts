import type { BrowserContext } from 'playwright-core'

/** Hues of the wall, the coat and the hair, and the shade of the skin, of somebody before a camera. */
interface Portrait {
  readonly wall: string
  readonly coat: string
  readonly hair: string
  readonly skin: string
  readonly isLong: boolean
}

const PORTRAITS: readonly Portrait[] = [
  { wall: '#b9a98c', coat: '#2f5d57', hair: '#2a211c', skin: '#e3b48d', isLong: true },
  { wall: '#7f8fa3', coat: '#8c4a3a', hair: '#1d1a1a', skin: '#d9a57b', isLong: false },
  { wall: '#c4b49a', coat: '#54517f', hair: '#4a3527', skin: '#eec3a0', isLong: true },
  { wall: '#8a9a86', coat: '#3a4456', hair: '#17171b', skin: '#c98f66', isLong: false },
  { wall: '#a58f7c', coat: '#a8743a', hair: '#38271d', skin: '#e0ad84', isLong: true },
  { wall: '#93879b', coat: '#3f6a4a', hair: '#221c19', skin: '#d49c70', isLong: false },
]

/** Gives the pages of a context a camera that sees somebody drawn, and a microphone that hears nothing. */
export const sitBeforeCamera = async (context: BrowserContext, index: number): Promise<void> => {
  await context.addInitScript(
    (portrait) => {
      const draw = (pen: CanvasRenderingContext2D): void => {
        const { wall, coat, hair, skin, isLong } = portrait
        const shape = (colour: string, x: number, y: number, width: number, height: number): void => {
          pen.fillStyle = colour
          pen.beginPath()
          pen.ellipse(x, y, width, height, 0, 0, 2 * Math.PI)
          pen.fill()
        }
        pen.fillStyle = wall
        pen.fillRect(0, 0, 320, 240)
        pen.fillStyle = '#ffffff26'
        pen.fillRect(214, 26, 82, 96)
        if (isLong) shape(hair, 160, 128, 62, 92)
        shape(coat, 160, 262, 108, 82)
        shape(skin, 160, 188, 22, 34)
        shape('#0000002b', 160, 182, 22, 16)
        shape(skin, 160, 120, 44, 56)
        shape(hair, 160, 84, 48, 28)
        shape(hair, isLong ? 122 : 160, isLong ? 108 : 74, isLong ? 14 : 46, isLong ? 38 : 20)
        shape(hair, isLong ? 198 : 160, isLong ? 108 : 74, isLong ? 14 : 46, isLong ? 38 : 20)
        shape('#2b201b', 143, 120, 4.5, 4)
        shape('#2b201b', 177, 120, 4.5, 4)
        shape('#00000022', 160, 134, 5, 8)
        pen.strokeStyle = '#8a4436'
        pen.lineWidth = 4
        pen.lineCap = 'round'
        pen.beginPath()
        pen.arc(160, 140, 17, 0.5, Math.PI - 0.5)
        pen.stroke()
      }
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = new MediaStream()
        if (wanted?.video) {
          const canvas = document.createElement('canvas')
          Object.assign(canvas, { width: 320, height: 240 })
          const pen = canvas.getContext('2d')
          if (pen !== null) setInterval(draw, 150, pen)
          for (const track of canvas.captureStream(7).getTracks()) stream.addTrack(track)
        }
        if (wanted?.audio) {
          const ears = new AudioContext().createMediaStreamDestination()
          for (const track of ears.stream.getTracks()) stream.addTrack(track)
        }
        return stream
      }
    },
    PORTRAITS[index % PORTRAITS.length],
  )
}
