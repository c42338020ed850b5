import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiCoverage } from '../../../tools/api-coverage.ts'

it('documents every API from the handlers themselves', () => {
  const file = new URL('../../../docs/reference/api-coverage.md', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(apiCoverage())
})
