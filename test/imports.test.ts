import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** A part of the house: what of ours it may import besides itself, and which packages; `null`: anything. */
interface Part {
  folder: string
  ours: readonly string[] | null
  packages: readonly string[] | null
}

/** The arrows of docs/architecture.md. A file belongs to the first part whose folder it lies in. */
const PARTS: readonly Part[] = [
  { folder: 'protocol', ours: [], packages: [] },
  { folder: 'client/react.ts', ours: ['protocol', 'client'], packages: ['react'] },
  { folder: 'client/board.ts', ours: ['protocol', 'client'], packages: ['react'] },
  { folder: 'client/media', ours: ['protocol', 'client'], packages: ['mediasoup-client'] },
  { folder: 'client', ours: ['protocol', 'client/media'], packages: [] },
  { folder: 'bus', ours: ['protocol'], packages: null },
  { folder: 'gateway', ours: ['protocol', 'bus'], packages: null },
  { folder: 'media', ours: ['protocol', 'bus'], packages: null },
  { folder: 'engine/rules', ours: ['protocol'], packages: null },
  { folder: 'engine', ours: ['protocol', 'bus', 'engine/rules'], packages: null },
  { folder: 'games', ours: ['engine/rules', 'protocol', 'client'], packages: null },
  { folder: 'loadtest/games', ours: ['engine/rules'], packages: ['xstate', 'zod'] },
  { folder: 'web', ours: ['protocol', 'client', 'games'], packages: null },
  { folder: 'scripts', ours: ['cli/madang.ts'], packages: ['uWebSockets.js'] },
  { folder: 'cli', ours: null, packages: null },
  { folder: 'loadtest', ours: null, packages: null },
  { folder: 'test', ours: null, packages: null },
]

/** What holds for single files beside the arrows: who may import a package, or a part of Node, at run time. */
const ONLY_IN = [
  {
    what: 'xstate',
    at: /^(engine\/rules\/|games\/[^/]+\/rules[^/]*\.ts$|loadtest\/games\/[^/]+\/rules[^/]*\.ts$|loadtest\/bench\/)/,
  },
  { what: 'uWebSockets.js', at: /^(gateway\/|scripts\/node-runtime\.mjs$|loadtest\/bench\/)/ },
  { what: 'mediasoup', at: /^(media\/|loadtest\/bench\/)/ },
  { what: 'mediasoup-client', at: /^(client|test)\/media\// },
  { what: 'node:sqlite', at: /^engine\/log\// },
  { what: 'react', at: /^(client\/(react|board)\.ts$|web\/|games\/[^/]+\/board[^/]*\.tsx?$)/ },
] as const

/** Tests, and what only tests use. */
const isTest = (file: string) => /\.(test|test-d|arbitrary)\.tsx?$|\/(testing|conformance)[./]/.test(file)
const isWithin = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)
const partOf = (file: string) => PARTS.find(({ folder }) => isWithin(file, folder))

interface Import {
  file: string
  /** A path from the root for our own files, else the package or `node:` module. */
  target: string
  kind: 'ours' | 'package' | 'node'
  isTypeOnly: boolean
}

const STATEMENT =
  /(?:^|[;\n}])\s*(?:import|export)\s+(type\s+)?(?:[\w$*{][^'"`;]*?\sfrom\s+|)(['"])([^'"\n]+)\2|\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\4/g

/** The imports that a source states; `import()` and `export … from` too. Comments are left out first. Pure. */
const importsOf = (file: string, source: string): Import[] => {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/[^\n]*/g, '$1')
  return [...code.matchAll(STATEMENT)].map((match) => {
    const name = match[3] ?? match[5] ?? ''
    const isTypeOnly = match[1] !== undefined
    if (name.startsWith('.')) return { file, target: posix.join(posix.dirname(file), name), kind: 'ours', isTypeOnly }
    if (name.startsWith('node:')) return { file, target: name, kind: 'node', isTypeOnly }
    const target = name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/')
    return { file, target, kind: 'package', isTypeOnly }
  })
}

/** Why an import goes against the arrows, or null. Pure. */
const flawOf = ({ file, target, kind, isTypeOnly }: Import): string | null => {
  const says = `${file} imports ${target}`
  const part = partOf(file)
  if (part === undefined) return `${file} lies in no part of the house that this test knows`
  if (isTest(file)) return null
  if (kind === 'ours') {
    const other = partOf(target)
    if (other?.folder === part.folder || part.ours === null) return null
    return part.ours.some((folder) => isWithin(target, folder)) ? null : `${says}: ${part.folder} may not`
  }
  const isBrowserCode = part.folder === 'protocol' || part.folder.startsWith('client') || part.folder === 'web'
  if (kind === 'node' && isBrowserCode && !file.endsWith('.config.ts')) return `${says}: it runs in browsers`
  if (kind === 'package' && part.packages !== null && !part.packages.includes(target))
    return `${says}: ${part.folder} may not`
  const rule = ONLY_IN.find(({ what }) => what === target)
  return isTypeOnly || rule === undefined || rule.at.test(file)
    ? null
    : `${says} at run time: only ${rule.at.source} may`
}

const SKIPPED = new Set(['node_modules', 'dist', 'data', '.git', '.cache', 'coverage'])
const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return sourcesIn(path)
      return /\.(ts|tsx|mts|mjs)$/.test(entry.name) ? [relative(ROOT, path).replaceAll('\\', '/')] : []
    })

test('every import goes the way of the arrows', () => {
  const sources = sourcesIn(ROOT).filter((file) => file.includes('/'))
  expect(sources.length).toBeGreaterThan(50)
  const imports = sources.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')))
  expect(imports.map(flawOf).filter((flaw) => flaw !== null)).toEqual([])
})

test.for([
  ['gateway/a.ts', "import { step } from '../engine/room/step.ts'"],
  ['gateway/a.ts', "import type { State } from '../engine/room/state.ts'"],
  ['engine/room/a.ts', "import { serve } from '../../gateway/uws.ts'"],
  ['engine/rules/a.ts', "import { step } from '../room/step.ts'"],
  ['engine/room/a.ts', "import { createMachine } from 'xstate'"],
  ['protocol/a.ts', "import { readFileSync } from 'node:fs'"],
  ['protocol/a.ts', "import { z } from 'zod'"],
  ['protocol/a.ts', "export { partitionOf } from '../bus/subjects.ts'"],
  ['protocol/a.ts', "export * from '../bus/subjects.ts'"],
  ['client/a.ts', "const bus = await import('../bus/local.ts')"],
  ['client/a.ts', "import React from 'react'"],
  ['client/a.ts', "import '../gateway/gateway.ts'"],
  ['games/x/rules.ts', "import {\n  a,\n  b,\n} from '../../engine/room/step.ts'"],
  ['bus/a.ts', "import { serve } from '../gateway/gateway.ts'"],
  ['web/a.tsx', "import { readFileSync } from 'node:fs'"],
  ['elsewhere/a.ts', "import { z } from 'zod'"],
] as const)('an import against the arrows is found: %s: %s', ([file, source]) => {
  expect(importsOf(file, source).map(flawOf)).toEqual([expect.stringContaining(file)])
})

test.for([
  ['client/react.ts', "import { useSyncExternalStore } from 'react'"],
  ['client/a.ts', "import type { Ref } from '../protocol/frames.ts'"],
  ['gateway/a.ts', "import type { Bus } from '../bus/bus.ts'"],
  ['engine/room/a.ts', "import type { Snapshot } from 'xstate'"],
  ['engine/room/a.ts', "// import { serve } from '../../gateway/uws.ts'"],
  ['games/x/rules.ts', "import { defineGame } from '../../engine/rules/rules.ts'"],
  ['cli/a.ts', "import { serve } from '../gateway/uws.ts'"],
] as const)('an import along the arrows is fine: %s: %s', ([file, source]) => {
  expect(
    importsOf(file, source)
      .map(flawOf)
      .filter((flaw) => flaw !== null),
  ).toEqual([])
})
