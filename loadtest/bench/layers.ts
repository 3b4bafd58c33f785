import type { Profiler } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { type Benchmark, fixed, table, verdict } from './figures.ts'
import { openLoad, type Slice, startPair } from './load.ts'

const ROOMS = 100
const RATE = 2_000
const CPU_AIM = 2
const FUNCTIONS_SHOWN = 16

/** By the place of a function's source. The first that fits counts. */
const LAYERS: readonly (readonly [RegExp, string])[] = [
  [/^gateway\//, 'gateway'],
  [/^bus\//, 'bus'],
  [
    /^engine\/rules\/|^games\/|^loadtest\/games\/|node_modules\/(xstate|zod|pure-rand)\/|rules\.js$/,
    'rules, XState, zod',
  ],
  [/^engine\/log\//, 'log (main thread)'],
  [/^engine\//, 'engine: room and partition'],
  [/^protocol\/|node_modules\/@msgpack\//, 'codec, diff, records'],
  [/^cli\/|^node:|node_modules\//, 'Node, cli, other packages'],
]
const NATIVE = 'uWS, the loop and the kernel (native)'
const GC = 'garbage collector'
/** Methods of uWebSockets.js, which the profiler shows without a source. */
const UWS = new Set(['send', 'publish', 'cork', 'subscribe', 'unsubscribe', 'getBufferedAmount', 'getUserData', 'end'])

const ROOT = new URL('../../', import.meta.url)

const placeOf = (url: string): string => {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  const root = fileURLToPath(ROOT)
  return path.startsWith(root) ? path.slice(root.length) : path
}

const layerOf = ({ functionName, url }: Profiler.Profile['nodes'][number]['callFrame'], parent: string): string => {
  if (functionName === '(garbage collector)') return GC
  if (url === '') return functionName.startsWith('(') || UWS.has(functionName) ? NATIVE : parent
  const place = placeOf(url)
  return LAYERS.find(([pattern]) => pattern.test(place))?.[1] ?? 'other'
}

interface Shares {
  /** Share of the time not idle, by layer. */
  layers: Map<string, number>
  /** The same by function, without native code and GC. */
  functions: [what: string, share: number][]
}

/** Where the samples of a profile were: each in the function that ran; what has no source counts for who called it. */
const sharesOf = ({ nodes, samples = [] }: Profiler.Profile): Shares => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const layerById = new Map<number, string>()
  const visit = (id: number, parent: string): void => {
    const node = byId.get(id)
    if (node === undefined) return
    const layer = layerOf(node.callFrame, parent)
    layerById.set(id, layer)
    for (const child of node.children ?? []) visit(child, layer)
  }
  const [root] = nodes
  if (root !== undefined) visit(root.id, NATIVE)
  const layers = new Map<string, number>()
  const functions = new Map<string, number>()
  let busy = 0
  for (const id of samples) {
    const frame = byId.get(id)?.callFrame
    if (frame === undefined || frame.functionName === '(idle)') continue
    busy += 1
    const layer = layerById.get(id) ?? 'other'
    layers.set(layer, (layers.get(layer) ?? 0) + 1)
    if (layer === NATIVE || layer === GC) continue
    const place = frame.url === '' ? `native, of ${layer}` : `${placeOf(frame.url)}:${frame.lineNumber + 1}`
    const what = `\`${frame.functionName || '(anonymous)'}\` ${place.replace(/^.*node_modules\//, '')}`
    functions.set(what, (functions.get(what) ?? 0) + 1)
  }
  const share = (of: Map<string, number>) => [...of].map(([key, count]) => [key, count / busy] as [string, number])
  const sorted = share(functions).sort(([, a], [, b]) => b - a)
  return { layers: new Map(share(layers)), functions: sorted.slice(0, FUNCTIONS_SHOWN) }
}

export const layers: Benchmark = {
  name: 'layers',
  title: 'Where the CPU of a durable move goes',

  async run(quick) {
    const { raw, ours, stop } = await startPair()
    const rooms = quick ? ROOMS / 2 : ROOMS
    const ms = quick ? 2_000 : 8_000
    const load = await openLoad({ server: ours, rooms, raw: null })
    await load.slice(RATE, 4_000)
    const relay = await openLoad({ server: raw, rooms, raw: { patchBytes: load.patchBytes() } })
    await relay.slice(RATE, 1_000)

    const plain = await load.slice(RATE, ms)
    const reference = await relay.slice(RATE, ms)
    await ours.startProfile()
    await load.slice(RATE, ms)
    const shares = sharesOf(await ours.profile())
    await stop()

    const each = ({ mainMicros, otherMicros, seen }: Slice) => ({ main: mainMicros / seen, others: otherMicros / seen })
    const [own, relayed] = [each(plain), each(reference)]
    const total = own.main + own.others
    const ratio = total / (relayed.main + relayed.others)
    const line = (what: string, micros: number) => [
      what,
      `${fixed(micros, 1)} µs`,
      `${fixed((100 * micros) / total)} %`,
    ]
    return [
      `${rooms} rooms of \`bench\`, ${fixed(RATE)} moves/s. CPU a move comes from the process’s own account in a slice without the profiler; the main thread’s is ` +
        'split by the shares of a CPU profile of the next slice, each sample counted for the function that ran (native code for who called it).',
      table(
        ['', 'CPU a move', 'share'],
        [
          ...[...shares.layers].sort(([, a], [, b]) => b - a).map(([layer, share]) => line(layer, share * own.main)),
          line('other threads: the log’s (SQLite, fsync), V8’s', own.others),
          ['**together**', `**${fixed(total, 1)} µs**`, ''],
          ['raw uWS relaying the same bytes', `${fixed(relayed.main + relayed.others, 1)} µs`, ''],
        ],
      ),
      `Aim: at most ${CPU_AIM} times raw: ${verdict(ratio <= CPU_AIM)} (${fixed(ratio, 2)}).`,
      'The functions in which most of the main thread’s time was spent:',
      table(
        ['function', 'CPU a move'],
        shares.functions.map(([what, share]) => [what, `${fixed(share * own.main, 1)} µs`]),
      ),
    ].join('\n\n')
  },
}
