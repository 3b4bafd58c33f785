import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const bundle = async (entry: string, external: string[] = []): Promise<{ inputs: string[]; bytes: Uint8Array }> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    external,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    write: false,
    outfile: 'client.js',
  })
  return { inputs: Object.keys(metafile.inputs), bytes: outputFiles[0]?.contents ?? new Uint8Array() }
}

const packageOf = (path: string): string | undefined => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]

test('the SDK runs in browsers: no module of Node, no dependency, under 22 KB compressed', async () => {
  const { inputs, bytes } = await bundle('client/client.ts')
  expect([...new Set(inputs.map(packageOf).filter((name) => name !== undefined))]).toEqual([])
  const own = inputs.filter((path) => packageOf(path) === undefined)
  expect(own.filter((path) => !/^(client|protocol)\//.test(path))).toEqual([])
  expect(own).not.toContain('client/react.ts')
  expect(gzipSync(bytes).length).toBeLessThan(22_000)
})

test('the hooks bring nothing along but themselves', async () => {
  const { inputs } = await bundle('client/react.ts', ['react'])
  expect(inputs).toEqual(['client/react.ts'])
})
