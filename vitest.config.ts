import { defineConfig } from 'vitest/config'

const project = (name: string, include: readonly string[]) => ({
  test: { name, include: [...include], testTimeout: 60_000, hookTimeout: 60_000 },
})

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    maxWorkers: 2,
    projects: [
      project('unit', ['test/tidy.test.ts', 'test/unit/**/*.test.ts']),
      project('sim', ['test/sim/**/*.test.ts']),
      project('wire', ['test/wire/**/*.test.ts', 'test/fixture/**/*.test.ts']),
      project('cli', ['test/cli/**/*.test.ts', 'test/scenarios/**/*.test.ts']),
      project('examples', ['examples/**/*.test.ts']),
    ],
  },
})
