/**
 * `npm run bench [-- NAMES… --quick]`: runs the benchmarks (all without names) and writes their tables into
 * docs/benchmarks.md, each between its own markers, so that one can be run again without the others.
 */
import { circumstances } from './circumstances.ts'
import { coldstart } from './coldstart.ts'
import { durability } from './durability.ts'
import { engines } from './engines.ts'
import type { Benchmark } from './figures.ts'
import { idle } from './idle.ts'
import { layers } from './layers.ts'
import { media } from './media.ts'
import { moves } from './moves.ts'
import { writeSections } from './page.ts'
import { ping } from './ping.ts'
import { rooms } from './rooms.ts'
import { sizes } from './sizes.ts'
import { speed } from './speed.ts'
import { takeover } from './takeover.ts'

const BENCHMARKS: readonly Benchmark[] = [
  ping,
  idle,
  speed,
  moves,
  layers,
  media,
  sizes,
  durability,
  engines,
  takeover,
  coldstart,
  rooms,
]

const main = async (argv: readonly string[]): Promise<number> => {
  const names = argv.filter((word) => !word.startsWith('--'))
  const flags = argv.filter((word) => word.startsWith('--'))
  const known = BENCHMARKS.map(({ name }) => name)
  const usage = `Usage: npm run bench -- [${known.join('|')}]… [--quick]`
  if (flags.includes('--help')) {
    const list = BENCHMARKS.map(({ name, title }) => `  ${name.padEnd(12)}${title}`).join('\n')
    console.log(
      `${usage}\n\nMeasures beside a reference in the same run, all of them without names, and writes docs/benchmarks.md. --quick: shorter and rougher.\n\n${list}`,
    )
    return 0
  }
  const odd = [...names.filter((name) => !known.includes(name)), ...flags.filter((flag) => flag !== '--quick')]
  if (odd.length > 0) {
    console.error(`unknown: ${odd.join(', ')}. ${usage}`)
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
    writeSections('benchmarks.md', {
      [`bench:${benchmark.name}`]: `## ${benchmark.title}\n\n<sub>${how}</sub>\n\n${text}`,
    })
  }
  return 0
}

// Servers and folders go when this process exits, also when it is interrupted.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
process.exit(await main(process.argv.slice(2)))
