import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{protocol,bus,engine,gateway,client,games,loadtest,cli,web,test}/**/*.test.ts'],
    testTimeout: 60_000,
  },
})
