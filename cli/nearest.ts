/** The candidate with the fewest edits from `word`, or null where none is near enough to be a slip. Pure. */
export const nearest = (word: string, candidates: readonly string[]): string | null => {
  const limit = Math.max(1, Math.floor(word.length / 3))
  const ranked = candidates.map((candidate) => ({ candidate, edits: editsBetween(word, candidate) }))
  const best = ranked.filter(({ edits }) => edits <= limit).sort((a, b) => a.edits - b.edits)[0]
  return best?.candidate ?? null
}

/** Levenshtein's distance: letters added, taken away or changed. */
const editsBetween = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
