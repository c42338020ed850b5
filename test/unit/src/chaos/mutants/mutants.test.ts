// Goal: planted bugs cannot rot. Each patch applies exactly once and leaves source that compiles.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { INVARIANTS } from '../../../../../src/chaos/invariants.ts'
import { plantedSource } from '../../../../../src/chaos/mutants/mutant.ts'
import { MUTANTS } from '../../../../../src/chaos/mutants/mutants.ts'

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url))
const sourceOf = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8')

describe('the catalogue of mutants', () => {
  it.each(MUTANTS)('$name changes one place of its file, and what comes out compiles', (mutant) => {
    const planted = plantedSource(mutant, sourceOf(mutant.file))
    expect(planted).not.toBe(sourceOf(mutant.file))
    expect(() => stripTypeScriptTypes(planted)).not.toThrow()
  })

  it('has a name of its own and a known invariant for each', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
    const known = new Set([...Object.keys(INVARIANTS), 'CRASH'])
    for (const { invariants } of MUTANTS) {
      expect(invariants.length).toBeGreaterThan(0)
      for (const id of invariants) expect(known).toContain(id)
    }
  })

  it('refuses a patch whose place is gone, or no longer the only one', () => {
    const mutant = { ...MUTANTS[0]!, find: 'b', replace: 'x' }
    expect(plantedSource(mutant, 'abc')).toBe('axc')
    expect(() => plantedSource(mutant, 'aac')).toThrow(/occurs 0 times/)
    expect(() => plantedSource(mutant, 'bab')).toThrow(/occurs 2 times/)
  })
})
