import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const CSS = readFileSync(new URL('colours.css', import.meta.url), 'utf8')
const AA = 4.5

/** The colours by name, of a light page, a dark one, and of night in a game. */
const themes = (): Record<string, Map<string, string>> => {
  const [root = '', night = ''] = [/:root \{([^}]*)\}/, /:root\[data-night\] \{([^}]*)\}/].map(
    (block) => block.exec(CSS)?.[1],
  )
  const light = new Map<string, string>()
  const dark = new Map<string, string>()
  for (const [, name = '', day = '', later = ''] of root.matchAll(/(--[\w-]+): light-dark\((#\w+), (#\w+)\)/g)) {
    light.set(name, day)
    dark.set(name, later)
  }
  const ownAtNight = [...night.matchAll(/(--[\w-]+): (#\w+)/g)].map(
    ([, name = '', colour = '']) => [name, colour] as const,
  )
  return { light, dark, night: new Map([...dark, ...ownAtNight]) }
}

const luminance = (colour: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

const contrast = (a: string, b: string): number => {
  const [dark = 0, bright = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
  return (bright + 0.05) / (dark + 0.05)
}

test('every colour of text can be read on every ground, the mat too, of which axe knows nothing', () => {
  const texts = ['--ink', '--ink-soft', '--jade', '--vermilion', '--ochre', '--indigo']
  const pairs = [
    ...texts.flatMap((text) => ['--paper', '--sheet', '--mat'].map((ground) => [text, ground])),
    ...['jade', 'vermilion', 'ochre', 'indigo'].map((name) => [`--${name}`, `--${name}-wash`]),
    ...['--jade', '--vermilion'].map((ground) => ['--on-accent', ground]),
  ]
  for (const [theme, colours] of Object.entries(themes())) {
    for (const [text = '', ground = ''] of pairs) {
      const [a, b] = [colours.get(text), colours.get(ground)]
      expect(a && b && contrast(a, b), `${text} on ${ground}, ${theme}`).toBeGreaterThanOrEqual(AA)
    }
  }
})
