// Section B of the catalogue in simulation: each scenario passes with seed 1 and shows all that it expects, gives the
// same trace again, and its twins fail as they should.
import { describe, expect, it } from 'vitest'
import { bitFlip } from '../../scenarios/bit-flip.ts'
import { crashEverywhere } from '../../scenarios/crash-everywhere.ts'
import { deleteRecreateTopic } from '../../scenarios/delete-recreate-topic.ts'
import { diskFull } from '../../scenarios/disk-full.ts'
import { fsyncFails } from '../../scenarios/fsync-fails.ts'
import { retention } from '../../scenarios/retention.ts'
import { slowDisk } from '../../scenarios/slow-disk.ts'
import { tornWrite } from '../../scenarios/torn-write.ts'
import { scenarioReport, twinReports } from '../support/scenario-run.ts'

const LIMIT_MS = 240_000
const SCENARIOS = [
  tornWrite,
  crashEverywhere,
  bitFlip,
  diskFull,
  fsyncFails,
  slowDisk,
  retention,
  deleteRecreateTopic,
]

describe('a scenario of storage', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s passes, and is the same again',
    { timeout: LIMIT_MS },
    async (_name, scenario) => {
      const first = await scenarioReport(scenario)
      expect([first.broken, first.reason]).toEqual([null, null])
      expect(first.expectations.filter(({ isMet }) => isMet !== true)).toEqual([])
      const second = await scenarioReport(scenario)
      expect(second.traceHash).toMatch(/^[0-9a-f]{64}$/)
      expect(second.traceHash).toBe(first.traceHash)
    },
  )

  it.each(
    SCENARIOS.filter(({ twins }) => twins.length > 0).map((each) => [each.name, each] as const),
  )('%s has twins that fail', { timeout: LIMIT_MS }, async (_name, scenario) => {
    for (const { isAsItShould, detail } of await twinReports(scenario)) {
      expect([isAsItShould, detail]).toEqual([true, detail])
    }
  })
})
