import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** What they measure, or how much they need, leaves no room for others beside them. */
const ALONE = [
  'loadtest/bench/media.test.ts',
  'loadtest/compare/compare.test.ts',
  'media/flip.test.ts',
  'test/media/*.test.ts',
]

export default defineConfig({
  test: {
    // Above what each wait within a test is given, so that a failure names what was waited for.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes soon, but not on a machine that is busy with other files of tests.
    expect: { poll: { timeout: 30_000 } },
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
