import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** What they measure, or how much they need, leaves no room for others beside them. */
const ALONE = ['loadtest/compare/compare.test.ts', 'media/flip.test.ts', 'test/media/*.test.ts']

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes soon, but not on a machine that is busy with other files of tests.
    expect: { poll: { timeout: 20_000 } },
    // Most of the time tests wait. Left to itself, vitest keeps a core free: on two, every file would wait for the one before it.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['{protocol,bus,engine,gateway,client,media,games,loadtest,cli,web,test}/**/*.test.ts'],
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
