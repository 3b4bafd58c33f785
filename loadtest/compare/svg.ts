/** Colours and marks of series, by their place. Each has the contrast of text on the ground it is for. */
const COLOURS = [
  { light: '#0b62c4', dark: '#6cb6ff' },
  { light: '#1a7f37', dark: '#57d977' },
  { light: '#9a5200', dark: '#f0a04b' },
  { light: '#7a3fd1', dark: '#c9a5ff' },
  { light: '#b0205f', dark: '#ff8fbd' },
] as const

const rules = (mode: 'light' | 'dark'): string => COLOURS.map((colour, i) => `.s${i}{color:${colour[mode]}}`).join('')

const STYLE =
  `text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.quiet{fill:#59636e}.own{fill:currentColor;font-weight:600}` +
  `.ground{fill:#fff}.grid{stroke:#d1d9e0}.bound{stroke:#59636e;stroke-dasharray:5 4}.line{fill:none;stroke:currentColor;stroke-width:2}.mark{fill:currentColor}` +
  `${rules('light')}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.own{fill:currentColor}.ground{fill:#0d1117}.grid{stroke:#3d444d}` +
  `.bound{stroke:#9198a1}${rules('dark')}}`

export type Anchor = 'start' | 'middle' | 'end'

/** Returns the text with what XML gives a meaning written out. Pure. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const rounded = (value: number): string => String(Math.round(value * 10) / 10)

export const text = (x: number, y: number, words: string, kind = '', anchor: Anchor = 'start'): string =>
  `<text x="${rounded(x)}" y="${rounded(y)}" class="${kind}" text-anchor="${anchor}">${escaped(words)}</text>`

export const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line x1="${rounded(x1)}" y1="${rounded(y1)}" x2="${rounded(x2)}" y2="${rounded(y2)}" class="${kind}"/>`

export const bar = (x: number, y: number, width: number, height: number): string =>
  `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(Math.max(1, width))}" height="${rounded(height)}" rx="2" class="mark"/>`

export const path = (points: readonly (readonly [x: number, y: number])[]): string =>
  `<path d="M${points.map(([x, y]) => `${rounded(x)} ${rounded(y)}`).join('L')}" class="line"/>`

/** A mark at a point, of another form for each series, for who does not tell the colours apart. */
export const mark = (series: number, x: number, y: number): string => {
  const [cx, cy] = [rounded(x), rounded(y)]
  if (series % COLOURS.length === 0) return `<circle cx="${cx}" cy="${cy}" r="4" class="mark"/>`
  const outline = ['', '-4 -4h8v8h-8z', '0 -5l5 9h-10z', '0 -5l5 5l-5 5l-5 -5z', '-4 -4l8 8m0 -8l-8 8'][
    series % COLOURS.length
  ]
  const kind = series % COLOURS.length === 4 ? 'line' : 'mark'
  return `<path transform="translate(${cx} ${cy})" d="M${outline}" class="${kind}"/>`
}

/** What belongs to a series, in its colour. */
export const inColour = (series: number, parts: readonly string[]): string =>
  `<g class="s${series % COLOURS.length}">${parts.join('')}</g>`

/** A whole drawing, which is readable on light and dark pages. `description` says it to who cannot see it. */
export const drawing = (
  width: number,
  height: number,
  title: string,
  description: string,
  parts: readonly string[],
): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">` +
  `<title>${escaped(title)}</title><desc>${escaped(description)}</desc><style>${STYLE}</style>` +
  `<rect width="${width}" height="${height}" class="ground"/>\n${parts.join('\n')}\n</svg>\n`
