import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll } from 'vitest'
import type { connect, Room } from '../../client/client.ts'
import { startChromium } from './chromium.ts'

declare global {
  interface Window {
    connect: typeof connect
    room: Room
    /** The names under which the server's ends are known to ICE now: others after a restart. */
    fragments: () => string[]
  }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGE = '<!doctype html><title>video</title><script type="module" src="page.js"></script>'
const SCRIPT = `import { connect } from './client/client.ts'; Object.assign(window, { connect })`

/** Chromium with a camera and a microphone that beeps, which it lets pages use unasked. */
export const chromiumWithDevices = (): Promise<Browser> =>
  startChromium([
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
  ])

/** Serves the SDK as a page loads it, in parts, from an origin of its own until the tests of the file are over. */
export const sdkOfThisFile = async (): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: ROOT, loader: 'js' },
    entryNames: 'page',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
    outdir: '/',
  })
  const parts = new Map(outputFiles.map(({ path, text }) => [path, text]))
  const server = createServer(({ url = '' }, response) => {
    const part = parts.get(url)
    response.setHeader('content-type', part === undefined ? 'text/html' : 'text/javascript').end(part ?? PAGE)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.close())
  afterAll(() => server.closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Runs in the page: all its connections are known. */
const watchConnections = (): void => {
  const connections: RTCPeerConnection[] = []
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      connections.push(this)
    }
  }
  window.fragments = () =>
    connections.map(({ remoteDescription }) => /a=ice-ufrag:(.*)/.exec(remoteDescription?.sdp ?? '')?.[1] ?? '')
}

/** Runs in the page: joins, and plays what comes, for sound that nobody plays is not decoded. */
const joinRoom = async ([url, guest, room]: readonly [string, string, string]): Promise<void> => {
  window.room = await window.connect({ url, guest }).join(room)
  window.room.media.streams.subscribe((streams) => {
    for (const { stream } of streams.values()) {
      if ([...document.querySelectorAll('video')].some(({ srcObject }) => srcObject === stream)) continue
      document.body.append(Object.assign(document.createElement('video'), { srcObject: stream, autoplay: true }))
    }
  })
}

/** A page of a browser profile of its own, on which `name` has joined `room`. `sdk`: see `sdkOfThisFile`. */
export const pageInRoom = async (
  browser: Browser,
  { sdk, server, name, room }: { sdk: string; server: string; name: string; room: string },
): Promise<Page> => {
  const context = await browser.newContext()
  await context.addInitScript(watchConnections)
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(sdk)
  await page.waitForFunction(() => 'connect' in window)
  await page.evaluate(joinRoom, [server, name, room] as const)
  return page
}

/** Publishes a camera of 640 × 360 or as given, and a microphone. */
export const publish = (page: Page, { width = 640, height = 360 } = {}): Promise<void> =>
  page.evaluate(
    async ({ width, height }) => {
      const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width, height } })
      const [camera] = devices.getVideoTracks()
      const [microphone] = devices.getAudioTracks()
      await window.room.media.publish({ camera, microphone })
    },
    { width, height },
  )

/** What the page has received of each source of the only other one there. */
export const received = (
  page: Page,
): Promise<
  Partial<Record<string, { bytes: number; frames: number; energy: number; width: number; granted: boolean }>>
> =>
  page.evaluate(async () => {
    const { receive } = await window.room.media.stats()
    return Object.fromEntries(
      receive.map(({ source, bytes, framesDecoded, audioEnergy, frameWidth, granted }) => [
        source,
        { bytes, frames: framesDecoded, energy: audioEnergy, width: frameWidth, granted },
      ]),
    )
  })
