import { aimsSection } from './aims.ts'
import type { Plan } from './arguments.ts'
import { measureBytes, type Traffic } from './bytes.ts'
import { captureHandshakes } from './handshakes.ts'
import { climb, type Rung } from './ladder.ts'
import { type Weight, weigh } from './memory.ts'
import {
  capacityChart,
  capacitySection,
  cpuChart,
  cpuSection,
  latencySection,
  memorySection,
  p50Chart,
  p99Chart,
  trafficChart,
  trafficSection,
} from './report.ts'
import { transcript } from './transcript.ts'

/** What a comparison found. */
export interface Findings {
  traffic: Traffic[]
  rungs: Rung[]
  weights: Weight[]
  /** Markdown, by the place in docs/transports.md. */
  sections: Record<string, string>
  /** SVG, by file name. */
  charts: Record<string, string>
}

/** Measures everything, one thing after another; `say` hears how far it is. `files`: how many a process may open here. */
export const compare = async (plan: Plan, files: number, say: (line: string) => void): Promise<Findings> => {
  const { rooms, idleSeconds, rates, seconds, players, moves, spectators, settleSeconds } = plan
  say('handshakes')
  const handshakes = await captureHandshakes()
  say(`bytes: ${idleSeconds} s idle, then ${seconds} s at each of ${rates.join(', ')} moves a second and room`)
  const traffic = await measureBytes({ rooms, idleMs: idleSeconds * 1_000, rates, playMs: seconds * 1_000 })
  say('memory')
  const weights = await weigh(spectators, settleSeconds * 1_000)
  say('latency and CPU')
  const rungs = await climb({
    levels: players,
    moves,
    ms: seconds * 1_000,
    files,
    onRung({ row, players, p50, p99, main, busy, flaw }) {
      const shares = `main thread ${Math.round(main * 100)} %, generator ${Math.round(busy * 100)} %`
      say(
        `  ${players} players, ${row.title}: ${p50.toFixed(1)} / ${p99.toFixed(1)} ms, ${shares}${flaw === null ? '' : `, ${flaw}`}`,
      )
    },
  })
  return {
    traffic,
    rungs,
    weights,
    sections: {
      handshakes: handshakes.map(transcript).join('\n\n'),
      traffic: trafficSection(traffic),
      latency: latencySection(rungs),
      cpu: cpuSection(rungs),
      capacity: capacitySection(rungs),
      memory: memorySection(weights),
      aims: aimsSection(traffic, rungs),
    },
    charts: {
      'bytes.svg': trafficChart(traffic),
      'latency-p50.svg': p50Chart(rungs),
      'latency-p99.svg': p99Chart(rungs),
      'cpu.svg': cpuChart(rungs),
      'capacity.svg': capacityChart(rungs),
    },
  }
}
