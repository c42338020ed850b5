import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { CliProcess } from '../support/cli-process.ts'

it('the example for the test runner of Node passes and ends by itself', async () => {
  const file = fileURLToPath(new URL('../../examples/node-test-kafkajs/orders.ts', import.meta.url))
  await using run = new CliProcess('--test', ['--test-reporter=tap', file])
  const { code, stdout } = await run.end()
  expect(stdout).toMatch(/^# pass 1$/m)
  expect(code).toBe(0)
})
