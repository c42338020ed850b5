// Goal: only what lets records expire weakens the checks; how often retention looks does not.
import { describe, expect, it } from 'vitest'
import { PlanFacts } from '../../../../../src/chaos/checks/plan-facts.ts'
import { planOfSeed } from '../../../../../src/chaos/swarm/plan-of-seed.ts'

const plan = planOfSeed(2, { profile: 'data', size: 'full' })
const withProperties = (properties: Readonly<Record<string, string>>): PlanFacts =>
  new PlanFacts({ ...plan, faults: [], cluster: { ...plan.cluster, properties } })

describe('PlanFacts', () => {
  it('lets records expire by the retention of brokers or of the topic', () => {
    expect(withProperties({ 'log.retention.ms': '1000' }).mayExpire('t')).toBe(true)
    const topics = [{ ...plan.topics[0]!, configs: { 'retention.bytes': '3000' } }]
    const facts = new PlanFacts({ ...plan, topics, faults: [] })
    expect([facts.mayExpire('t'), facts.mayExpire('r')]).toEqual([true, false])
  })

  it('does not take the interval of the check for a retention', () => {
    const facts = withProperties({ 'log.retention.check.interval.ms': '1000' })
    expect(facts.mayExpire('t')).toBe(false)
  })
})
