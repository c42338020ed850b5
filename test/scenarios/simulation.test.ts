// Goal: every scenario of the catalogue that can be simulated shows its point with seed 1, gives the same trace again, and
// its twins fail as they should. Method: within this process; twins that plant a bug run in a process of their own.
import { describe, expect, it } from 'vitest'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { carryOut, type PlanReport, type RunChoice } from '../../scenarios/lib/plan-run.ts'
import type { Scenario } from '../../scenarios/lib/scenario.ts'
import { runTwin } from '../../scenarios/lib/twins.ts'

const LIMIT_MS = 240_000
const CHOICE: RunChoice = {
  mode: 'sim',
  seed: 1,
  bootstrapServers: null,
  onNotice: () => undefined,
}
const SIMULATED = SCENARIOS.filter(({ modes }) => modes.includes('sim'))
const TWINS = SIMULATED.flatMap((scenario) =>
  scenario.twins.map((twin) => [scenario.name, twin.name, scenario, twin] as const),
)

async function run(scenario: Scenario): Promise<PlanReport> {
  return (await carryOut(scenario, scenario.plan(CHOICE.seed), CHOICE)).report
}

describe('in simulation', () => {
  it.each(SIMULATED.map((scenario) => [scenario.name, scenario] as const))(
    '%s shows its point, and twice the same',
    { timeout: LIMIT_MS },
    async (_name, scenario) => {
      const first = await run(scenario)
      expect([first.broken, first.reason]).toEqual([null, null])
      expect(first.verdict).toBe('pass')
      expect(first.expectations.filter(({ isMet }) => isMet !== true)).toEqual([])
      expect(first.timeline.length).toBeGreaterThan(0)
      const second = await run(scenario)
      expect(second.traceHash).toMatch(/^[0-9a-f]{64}$/)
      expect(second.traceHash).toBe(first.traceHash)
    },
  )

  it.each(TWINS)(
    '%s fails as it should with the twin "%s"',
    { timeout: LIMIT_MS },
    async (_name, _twin, scenario, twin) => {
      const { isAsItShould, detail } = await runTwin(scenario, twin, CHOICE)
      expect([isAsItShould, detail]).toEqual([true, detail])
    },
  )

  it('voter-disk-wiped has a twin that wipes before the election', () => {
    const names = TWINS.map(([scenario, twin]) => [scenario, twin])
    expect(names).toContainEqual(['voter-disk-wiped', 'wiped before the election'])
  })
})
