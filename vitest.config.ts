import { defineConfig } from 'vitest/config'

const project = (name: string, include: readonly string[], isolate = true) => ({
  test: { name, include: [...include], isolate, testTimeout: 60_000, hookTimeout: 60_000 },
})

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    maxWorkers: 3,
    projects: [
      // No module of ours keeps state, so the files of one worker can share what they import.
      project('unit', ['test/tidy.test.ts', 'test/unit/**/*.test.ts'], false),
      project('sim', ['test/sim/**/*.test.ts']),
      project('wire', ['test/wire/**/*.test.ts', 'test/fixture/**/*.test.ts']),
      project('cli', [
        'test/cli/**/*.test.ts',
        'test/integration/**/*.test.ts',
        'test/scenarios/**/*.test.ts',
      ]),
      project('examples', ['examples/**/*.test.ts']),
    ],
  },
})
