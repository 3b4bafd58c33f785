import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Frame, Page } from 'playwright-core'
import { afterAll, afterEach } from 'vitest'
import type { Role, RoomId } from '../../protocol/frames.ts'
import { startChromium } from '../browser/chromium.ts'
import { freePort } from '../ports.ts'
import { type ProgramOfFile, programOfThisFile } from '../wire/program.ts'

/** Cameras and microphones that are none, and whose sound plays without anybody's click. */
const DEVICES = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
]

/** Serves a page for players, and an empty one to put such pages into, from an origin of its own, until the tests of the file are over. */
const seatsOfThisFile = async (): Promise<string> => {
  const entry = fileURLToPath(new URL('seat.ts', import.meta.url))
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'iife', write: false })
  const script = outputFiles[0]?.text ?? ''
  const server = createServer(({ url }, response) => {
    const body = url === '/seat' ? `<script>${script.replaceAll('</script', '<\\/script')}</script>` : ''
    response.setHeader('content-type', 'text/html; charset=utf-8').end(`<!doctype html>${body}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.closeAllConnections())
  afterAll(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Somebody at a browser, who can be asked what arrives. */
export interface Viewer {
  readonly name: string
  readonly id: string
  readonly frame: { evaluate<R>(run: () => R | Promise<R>): Promise<R> }
}

/** A player in a frame of a Chromium. */
export interface Player extends Viewer {
  readonly frame: Frame
}

/** What a consumer of the server has sent so far, as `GET /admin/media/ROOM` tells. */
export interface Carried {
  readonly viewer: string
  readonly player: string
  readonly source: string
  readonly bytes: number
}

export interface Studio {
  readonly program: ProgramOfFile
  /** Where the pages of players are: `/seat`. */
  readonly origin: string
  /** A page for frames, closed after the test. */
  page(): Promise<Page>
  /** All that the consumers of a room have sent, also those that the rules hold back now. */
  carried(room: RoomId): Promise<readonly Carried[]>
  /** Somebody who sits in a frame of the page. */
  sit(page: Page, name: string): Promise<Player>
}

/** The real program with real media, and a browser with devices before it, for the tests of one file; gone after the last of them. */
export const studioOfThisFile = async (...args: readonly string[]): Promise<Studio> => {
  const origin = await seatsOfThisFile()
  const browser = await startChromium(DEVICES)
  afterAll(() => browser.close())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  const adminPort = String(await freePort())
  const program = await programOfThisFile('--admin-port', adminPort, '--origins', origin, '--rate', '1000', ...args)
  return {
    program,
    origin,
    async page() {
      const page = await browser.newPage()
      await page.goto(origin)
      return page
    },
    async carried(room) {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/admin/media/${room}`)
      const { consumers } = (await answer.json()) as { consumers: Carried[] }
      return consumers
    },
    async sit(page, name) {
      await page.evaluate((name) => {
        const frame = Object.assign(document.createElement('iframe'), {
          name,
          src: '/seat',
          allow: 'camera; microphone',
        })
        document.body.append(frame)
        return new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
      }, name)
      const frame = page.frame({ name })
      if (frame === null) throw new Error(`no frame for ${name}`)
      const id = await frame.evaluate(([url, name]) => seat.sit(url, name), [program.url, name] as const)
      return { name, id, frame }
    },
  }
}

export const enter = (player: Player, room: RoomId, role?: Role): Promise<void> =>
  player.frame.evaluate(([room, role]) => seat.enter(room, role), [room, role] as const)

/** Publishes a camera and a microphone. */
export const publish = ({ frame }: Viewer): Promise<void> => frame.evaluate(() => seat.publish())
