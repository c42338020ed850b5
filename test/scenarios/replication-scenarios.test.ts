// Goal: each scenario of replication (and the few of other sections beside it) shows its point, and its twins do not
// pass. Method: in simulation with seed 1, twice for the trace; twins that plant a bug run in a process of their own.
import { describe, expect, it } from 'vitest'
import { clockJump } from '../../scenarios/clock-jump.ts'
import { failoverClean } from '../../scenarios/failover-clean.ts'
import { fastDoubleFailover } from '../../scenarios/fast-double-failover.ts'
import { idempotenceAcrossFailover } from '../../scenarios/idempotence-across-failover.ts'
import { isolatedLeader } from '../../scenarios/isolated-leader.ts'
import { isrShrink } from '../../scenarios/isr-shrink.ts'
import { kafkajsInTheBox } from '../../scenarios/kafkajs-in-the-box.ts'
import { lastReplicaStanding } from '../../scenarios/last-replica-standing.ts'
import { carryOut, type PlanReport, type RunChoice } from '../../scenarios/lib/plan-run.ts'
import type { Scenario } from '../../scenarios/lib/scenario.ts'
import { runTwin } from '../../scenarios/lib/twins.ts'
import { lostAck } from '../../scenarios/lost-ack.ts'
import { powerCutAll } from '../../scenarios/power-cut-all.ts'
import { preferredLeaderStorm } from '../../scenarios/preferred-leader-storm.ts'
import { reorderAttempt } from '../../scenarios/reorder-attempt.ts'
import { rollingRestart } from '../../scenarios/rolling-restart.ts'
import { soakSwarm } from '../../scenarios/soak-swarm.ts'
import { splitBrainPrevention } from '../../scenarios/split-brain-prevention.ts'
import { staleHw } from '../../scenarios/stale-hw.ts'
import { uncleanElection } from '../../scenarios/unclean-election.ts'

const LIMIT_MS = 120_000
const CHOICE: RunChoice = {
  mode: 'sim',
  seed: 1,
  bootstrapServers: null,
  onNotice: () => undefined,
}

const SCENARIOS: readonly Scenario[] = [
  failoverClean,
  isrShrink,
  uncleanElection,
  lastReplicaStanding,
  isolatedLeader,
  splitBrainPrevention,
  fastDoubleFailover,
  staleHw,
  rollingRestart,
  preferredLeaderStorm,
  lostAck,
  reorderAttempt,
  idempotenceAcrossFailover,
  powerCutAll,
  clockJump,
  soakSwarm,
  kafkajsInTheBox,
]

const TWINS = SCENARIOS.flatMap((scenario) =>
  scenario.twins.map((twin) => [scenario.name, twin.name, scenario, twin] as const),
)

async function run(scenario: Scenario): Promise<PlanReport> {
  const { report } = await carryOut(scenario, scenario.plan(CHOICE.seed), CHOICE)
  return report
}

describe('in simulation', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s shows its point, and twice the same',
    { timeout: LIMIT_MS },
    async (_name, scenario) => {
      const first = await run(scenario)
      expect(first.reason).toBeNull()
      expect(first.verdict).toBe('pass')
      expect(first.expectations.filter(({ isMet }) => isMet !== true)).toEqual([])
      expect(first.timeline.length).toBeGreaterThan(0)
      const second = await run(scenario)
      expect(second.traceHash).toBe(first.traceHash)
    },
  )

  it.each(TWINS)(
    '%s fails as it should with the twin "%s"',
    { timeout: LIMIT_MS },
    async (_name, _twin, scenario, twin) => {
      const report = await runTwin(scenario, twin, CHOICE)
      expect(report).toMatchObject({ isAsItShould: true })
    },
  )
})
