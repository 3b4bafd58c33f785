/**
 * `npm run bench [-- NAMES… --quick]`: runs the benchmarks (all without names) and writes their tables into
 * docs/benchmarks.md, each between its own markers, so that one can be run again without the others.
 */
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Benchmark } from './figures.ts'
import { idle } from './idle.ts'
import { layers } from './layers.ts'
import { moves } from './moves.ts'
import { writeSection } from './page.ts'
import { ping } from './ping.ts'
import { sizes } from './sizes.ts'
import { speed } from './speed.ts'

const BENCHMARKS: readonly Benchmark[] = [ping, idle, speed, moves, layers, sizes]

/** Where and how a section was measured, as its first line says it. */
const circumstances = (command: string): string => {
  const [cpu] = cpus()
  const machine = [
    `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores`,
    `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `Linux ${release()}`,
    `Node ${process.version}`,
  ].join(' · ')
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const load = loadavg()[0] ?? 0
  const shared = load > 1 ? ' (shared with other work: absolute figures are worse than they need be)' : ''
  return `${date} UTC · \`${command}\` · load average at start ${load.toFixed(2)}${shared} · ${machine}`
}

const main = async (argv: readonly string[]): Promise<number> => {
  const names = argv.filter((word) => !word.startsWith('--'))
  const flags = argv.filter((word) => word.startsWith('--'))
  const known = BENCHMARKS.map(({ name }) => name)
  const odd = [...names.filter((name) => !known.includes(name)), ...flags.filter((flag) => flag !== '--quick')]
  if (odd.length > 0) {
    console.error(`unknown: ${odd.join(', ')}. Usage: npm run bench -- [${known.join('|')}]… [--quick]`)
    return 2
  }
  if (process.platform !== 'linux') {
    console.error('The benchmarks read what processes cost from /proc: run them on Linux.')
    return 2
  }
  const quick = flags.includes('--quick')
  for (const benchmark of BENCHMARKS) {
    if (names.length > 0 && !names.includes(benchmark.name)) continue
    const command = `npm run bench -- ${benchmark.name}${quick ? ' --quick' : ''}`
    const how = circumstances(command)
    console.log(`\n${benchmark.title}: ${how}`)
    const text = await benchmark.run(quick)
    console.log(`\n${text}`)
    writeSection(benchmark, how, text)
  }
  return 0
}

process.exit(await main(process.argv.slice(2)))
