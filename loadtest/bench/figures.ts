/** The value below which this share of the values lies; sorts them. 0 for none. */
export const percentile = (values: Float64Array, share: number): number =>
  values.sort()[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

export const median = (values: readonly number[]): number => percentile(Float64Array.from(values), 0.5)

/** The median of ratios, and their quartiles in brackets. */
export const quartiles = (ratios: readonly number[], digits = 2): string => {
  const at = (share: number) => fixed(percentile(Float64Array.from(ratios), share), digits)
  return `**${at(0.5)}** (${at(0.25)}–${at(0.75)})`
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export const fixed = (value: number, digits = 0): string =>
  value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A Markdown table; columns but the first are aligned right. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** `met`, or `missed`, for an aim that the text names. */
export const verdict = (isMet: boolean): string => (isMet ? 'met' : '**missed**')

/** One section of docs/benchmarks.md. */
export interface Benchmark {
  readonly name: string
  readonly title: string
  /** Resolves with the section's Markdown, without its title. `quick`: shorter and rougher, for who changes the bench. */
  run(quick: boolean): Promise<string>
}
