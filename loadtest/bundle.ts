import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const SCENARIOS = fileURLToPath(new URL('k6/', import.meta.url))
/** What the scenarios share. */
const PARTS = ['session.ts', 'summary.ts']

/** The names that `npm run loadtest` knows: the files of `loadtest/k6` that are scenarios. */
export const scenarios = (): string[] =>
  readdirSync(SCENARIOS)
    .filter((file) => /(?<!\.test|\.d)\.ts$/.test(file) && !PARTS.includes(file))
    .map((file) => file.replace('.ts', ''))

/** Writes a scenario to `file` as one module that k6 can run: k6 finds no packages, and has only modules of its own. */
export const bundle = async (scenario: string, file: string): Promise<void> => {
  await build({
    entryPoints: [`${SCENARIOS}${scenario}.ts`],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2017',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    external: ['k6', 'k6/*'],
    legalComments: 'none',
    logLevel: 'silent',
  })
}
