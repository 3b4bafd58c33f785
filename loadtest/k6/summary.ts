/** What k6 hands to `handleSummary`, as far as it is read here. */
export interface Summary {
  metrics: Record<string, { values: Record<string, number>; thresholds?: Record<string, { ok: boolean }> }>
}

/** The end of a run in a few lines: what was counted, how long moves took, errors by code, thresholds that were crossed. Pure. */
export const summaryOf = ({ metrics }: Summary): string => {
  const lines: [name: string, text: string | number][] = [
    ['joins', count(metrics, 'joins')],
    ['games finished', count(metrics, 'games_finished')],
    ['move to ack', times(metrics, 'move_to_ack')],
    ['move to sight', times(metrics, 'move_to_sight')],
    ['errors', errorsByCode(metrics)],
    ['thresholds', crossed(metrics)],
  ]
  return `\n${lines.map(([name, text]) => `  ${name.padEnd(16)}${text}\n`).join('')}\n`
}

type Metrics = Summary['metrics']

const count = (metrics: Metrics, name: string): number => metrics[name]?.values.count ?? 0

const times = (metrics: Metrics, name: string): string => {
  const values = metrics[name]?.values
  if (!values?.count) return 'not measured'
  const figure = (label: string, stat: string) => `${label} ${(values[stat] ?? 0).toFixed(1)} ms`
  const figures = [figure('p50', 'med'), figure('p95', 'p(95)'), figure('p99', 'p(99)'), figure('max', 'max')]
  return `${figures.join(', ')} (${values.count})`
}

const errorsByCode = (metrics: Metrics): string => {
  const codes = Object.keys(metrics).flatMap((name) => {
    const code = /^errors\{code:(.*)\}$/.exec(name)?.[1]
    const times = count(metrics, name)
    return code !== undefined && times > 0 ? [`${code} ${times}`] : []
  })
  return [count(metrics, 'errors'), ...codes].join(', ')
}

/** Errors by code repeat what the threshold of all errors says. */
const crossed = (metrics: Metrics): string => {
  const names = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).flatMap(([limit, { ok }]) => (ok || name.includes('{') ? [] : [`${name} ${limit}`])),
  )
  return names.length === 0 ? 'all kept' : `crossed: ${names.join(', ')}`
}
