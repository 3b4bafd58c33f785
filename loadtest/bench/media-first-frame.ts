import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { startChromium } from '../../test/browser/chromium.ts'
import { fixed, percentile, sleep, table, verdict } from './figures.ts'
import { tokenOf } from './player.ts'
import { startOurs } from './server.ts'

const AIM_MS = 500
/** How long one has published when the other comes. */
const [EARLY_MS, STEADY_MS] = [1_000, 5_000]
/** Cameras that are none, and addresses of loopback in place of names that mDNS would have to find. */
const DEVICES = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]

/** Serves the page of media-page.ts from an origin of its own. */
const servePage = async () => {
  const entry = fileURLToPath(new URL('media-page.ts', import.meta.url))
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'iife', write: false })
  const script = outputFiles[0]?.text.replaceAll('</script', '<\\/script') ?? ''
  const server = createServer((_, response) => {
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end(`<!doctype html><body><script>${script}</script>`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() }
}

export interface FirstFrames {
  /** Both are on video; one begins to publish. */
  publish: Float64Array
  /** One has published for a second when the other comes; for longer. */
  early: Float64Array
  join: Float64Array
  /** Neither is on video yet; both come at once. */
  both: Float64Array
  /** Between two connections of one page. */
  withoutServer: Float64Array
}

export const measureFirstFrames = async (rounds: number): Promise<FirstFrames> => {
  const site = await servePage()
  const server = await startOurs(['--origins', site.origin])
  const browser = await startChromium(DEVICES)
  const url = `http://127.0.0.1:${server.port}`
  const open = async (name: string): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(site.origin)
    await page.evaluate(([url, token]) => bench.enter(url, token), [url, tokenOf(name)] as const)
    return page
  }
  try {
    const [ann, bob] = [await open('ann'), await open('bob')]
    const room = await ann.evaluate(() => bench.session.create('mafia'))
    for (const page of [ann, bob]) await page.evaluate((room) => bench.join(room), room)
    const publish = () => ann.evaluate(() => bench.publish())
    const watch = () => bob.evaluate(() => bench.watch())
    const seen = () => bob.evaluate(() => bench.firstFrame('ann'))
    const leave = (page: Page) => page.evaluate(() => bench.leave())
    const come = async (afterMs: number): Promise<number> => {
      await sleep(afterMs)
      const picture = seen()
      const began = await watch()
      const took = (await picture) - began
      await leave(bob)
      return took
    }
    const times = {
      publish: [] as number[],
      early: [] as number[],
      join: [] as number[],
      both: [] as number[],
      withoutServer: [] as number[],
    }
    for (let round = 0; round <= rounds; round++) {
      if (round === 1) for (const kept of Object.values(times)) kept.length = 0
      times.withoutServer.push(await bob.evaluate(() => bench.withoutServer()))

      await watch()
      const first = seen()
      times.publish.push(-(await publish()) + (await first))
      await leave(bob)

      // Chromium sends no second key frame within 300 ms, and its larger layer begins some seconds after the smaller.
      times.early.push(await come(EARLY_MS))
      times.join.push(await come(STEADY_MS))
      await leave(ann)

      const third = seen()
      const [began] = await Promise.all([publish(), watch()])
      times.both.push((await third) - began)
      await leave(bob)
      await leave(ann)
    }
    const { publish: published, early, join, both, withoutServer } = times
    return {
      publish: Float64Array.from(published),
      early: Float64Array.from(early),
      join: Float64Array.from(join),
      both: Float64Array.from(both),
      withoutServer: Float64Array.from(withoutServer),
    }
  } finally {
    await browser.close()
    await server.stop()
    site.close()
  }
}

export const firstFramesText = ({ publish, early, join, both, withoutServer }: FirstFrames): string => {
  const reference = percentile(withoutServer, 0.5)
  const row = (what: string, values: Float64Array) => [
    what,
    fixed(values.length),
    `**${fixed(percentile(values, 0.5))} ms**`,
    `${fixed(percentile(values, 0.9))} ms`,
    fixed(percentile(values, 0.5) / reference, 2),
  ]
  const isMet = [publish, early, join, both].every((values) => percentile(values, 0.5) <= AIM_MS)
  return [
    '### The first frame',
    'Two Chromium pages on this machine with a camera of 640 × 360 that is none, over the SDK and the real program, from the call of `publish` or `join` until the other’s first picture is decoded and can be drawn (`loadeddata`). ' +
      'The reference is one `RTCPeerConnection` to another in one page, without any server, from the offer on; it is never the same work, and shows what Chromium and this machine take at least.',
    table(
      ['', 'rounds', 'p50', 'p90', 'p50 / reference'],
      [
        row('both are on video, one publishes', publish),
        row('one has published for a second, the other joins', early),
        row('one has published for five seconds and more, the other joins', join),
        row('one publishes and the other joins, at once', both),
        row('reference: without a server', withoutServer),
      ],
    ),
    `Aim: p50 at most ${AIM_MS} ms: ${verdict(isMet)}.`,
  ].join('\n\n')
}
