import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

interface Bundle {
  /** What a page loads before anything is used. */
  readonly first: { readonly inputs: string[]; readonly gzipped: number }
  /** What may be loaded later. */
  readonly later: { readonly inputs: string[]; readonly gzipped: number }
}

const bundle = async (entry: string, external: string[] = []): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: { first: entry },
    external,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    write: false,
    outdir: 'out',
  })
  const first = new Set(['out/first.js'])
  for (const path of first) {
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && !external.includes(next)) first.add(next)
  }
  const part = (isIn: (path: string) => boolean): Bundle['first'] => {
    const paths = Object.keys(metafile.outputs).filter(isIn)
    return {
      inputs: paths.flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {})),
      gzipped: outputFiles
        .filter((file) => paths.some((path) => file.path.endsWith(path)))
        .reduce((sum, { contents }) => sum + gzipSync(contents).length, 0),
    }
  }
  return { first: part((path) => first.has(path)), later: part((path) => !first.has(path)) }
}

const packageOf = (path: string): string | undefined => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]

test('the SDK runs in browsers: no module of Node, no dependency, nothing of video but its door, under 22.5 KB compressed', async () => {
  const { first } = await bundle('client/client.ts')
  expect([...new Set(first.inputs.map(packageOf).filter((name) => name !== undefined))]).toEqual([])
  expect(first.inputs.filter((path) => !/^(client|protocol)\//.test(path))).toEqual([])
  expect(first.inputs.filter((path) => path.startsWith('client/media/'))).toEqual(['client/media/door.ts'])
  expect(first.inputs).not.toContain('client/react.ts')
  expect(first.gzipped).toBeLessThan(22_500)
})

test('video brings mediasoup-client along when it is first used, under 60 KB compressed', async () => {
  const { later } = await bundle('client/client.ts')
  expect(later.inputs.map(packageOf)).toContain('mediasoup-client')
  expect(later.gzipped).toBeLessThan(60_000)
})

test('the hooks bring nothing along but themselves', async () => {
  const { first } = await bundle('client/react.ts', ['react'])
  expect(first.inputs).toEqual(['client/react.ts'])
})
