import { cpus, loadavg, release, totalmem } from 'node:os'

/** Where and how something is measured, as the first line of its section says it. */
export const circumstances = (command: string): string => {
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
