import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Puts sections, by the name of their place, into a page of docs, instead of its earlier ones. */
export const writeSections = (page: string, sections: Readonly<Record<string, string>>): void => {
  const path = fileURLToPath(new URL(`../../docs/${page}`, import.meta.url))
  let text = readFileSync(path, 'utf8')
  for (const [place, section] of Object.entries(sections)) text = withSection(text, place, section)
  writeFileSync(path, text)
}

/** Returns the page with this text between the markers of a place. What stands outside of them is kept as it is. Pure; throws where the page has none. */
export const withSection = (page: string, place: string, section: string): string => {
  const [begin, end] = [`<!-- ${place} -->`, `<!-- /${place} -->`]
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the page has no place for this section: put ${begin} and ${end} into it`)
  return `${page.slice(0, from)}${begin}\n${section}\n${page.slice(to)}`
}
