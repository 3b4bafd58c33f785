import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Benchmark } from './figures.ts'

const PAGE = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))

/** Puts a section into the page, in place of its earlier one. What stands outside of the markers is kept as it is. */
export const writeSection = ({ name, title }: Pick<Benchmark, 'name' | 'title'>, how: string, text: string): void => {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const section = `${begin}\n## ${title}\n\n<sub>${how}</sub>\n\n${text}\n${end}`
  const page = readFileSync(PAGE, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from)
    throw new Error(`docs/benchmarks.md has no place for ${name}: put ${begin} and ${end} into it`)
  writeFileSync(PAGE, page.slice(0, from) + section + page.slice(to + end.length))
}
