// The suites that compare with Apache Kafka on this machine. They need Java and Maven, so they are no part of `npm test`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    include: ['test/comparison/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
