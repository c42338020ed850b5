import { carryOut, type PlanReport, type RunChoice } from '../../scenarios/lib/plan-run.ts'
import type { Scenario } from '../../scenarios/lib/scenario.ts'
import { runTwin, type TwinReport } from '../../scenarios/lib/twins.ts'

const IN_SIMULATION: RunChoice = {
  mode: 'sim',
  seed: 1,
  bootstrapServers: null,
  onNotice: () => undefined,
}

/** Seed 1 in simulation, within this process. */
export async function scenarioReport(scenario: Scenario): Promise<PlanReport> {
  return (await carryOut(scenario, scenario.plan(1), IN_SIMULATION)).report
}

/** All twins from seed 1 on; planted bugs in a process of their own. */
export async function twinReports(scenario: Scenario): Promise<readonly TwinReport[]> {
  const reports: TwinReport[] = []
  for (const twin of scenario.twins) reports.push(await runTwin(scenario, twin, IN_SIMULATION))
  return reports
}
