// Section C of the catalogue in simulation: each scenario passes with seed 1 and shows all that it expects, gives the
// same trace again, and its twins fail as they should.
import { describe, expect, it } from 'vitest'
import { asymmetricController } from '../../scenarios/asymmetric-controller.ts'
import { controllerFailover } from '../../scenarios/controller-failover.ts'
import { controllerMajorityLoss } from '../../scenarios/controller-majority-loss.ts'
import { metadataLag } from '../../scenarios/metadata-lag.ts'
import { voterDiskWiped } from '../../scenarios/voter-disk-wiped.ts'
import { scenarioReport, twinReports } from '../support/scenario-run.ts'

const LIMIT_MS = 240_000
const SCENARIOS = [
  controllerFailover,
  controllerMajorityLoss,
  metadataLag,
  voterDiskWiped,
  asymmetricController,
]

describe('a scenario of the controller', () => {
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

  it('voter-disk-wiped has a twin that fails', { timeout: LIMIT_MS }, async () => {
    const [twin] = await twinReports(voterDiskWiped)
    expect(twin).toMatchObject({ twin: 'wiped before the election', isAsItShould: true })
  })
})
