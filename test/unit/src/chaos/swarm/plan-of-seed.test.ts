// Goal: every seed gives a plan that can be carried out, and together the seeds draw everything there is.
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from '../../../../../src/chaos/plan/fault.ts'
import type { Plan } from '../../../../../src/chaos/plan/plan.ts'
import { budgetOf } from '../../../../../src/chaos/plan/fault-budget.ts'
import { validatePlan } from '../../../../../src/chaos/plan/validate-plan.ts'
import { PROBES } from '../../../../../src/chaos/probes/index.ts'
import { BOUNDARY_PROBES } from '../../../../../src/chaos/swarm/boundary-probes.ts'
import { DAMAGE_KINDS, NOT_OF_SEEDS } from '../../../../../src/chaos/swarm/faults-of-seed.ts'
import { planOfSeed } from '../../../../../src/chaos/swarm/plan-of-seed.ts'
import { standardPlan } from '../../../../../src/chaos/swarm/standard-plan.ts'
import { SWARM_PROFILES, type Swarm } from '../../../../../src/chaos/swarm/swarm-profile.ts'
import { SWARM_SIZES } from '../../../../../src/chaos/swarm/swarm-size.ts'

const OF_SEEDS = FAULT_KINDS.filter((kind) => !NOT_OF_SEEDS.has(kind))
const SEEDS = Array.from({ length: 2000 }, (_, index) => index + 1)
const ALL: Swarm = { profile: 'all', size: 'full' }
const DATA: Swarm = { profile: 'data', size: 'full' }
const plans = SEEDS.map((seed) => planOfSeed(seed, ALL))

describe('planOfSeed', () => {
  const swarms = SWARM_SIZES.flatMap((size) => SWARM_PROFILES.map((profile) => ({ profile, size })))
  it.each(swarms)('gives valid plans of profile $profile, size $size', (swarm) => {
    for (const seed of SEEDS) expect(() => validatePlan(planOfSeed(seed, swarm))).not.toThrow()
  })

  it('gives the same plan for the same seed, and others for others', () => {
    expect(planOfSeed(7, DATA)).toEqual(planOfSeed(7, DATA))
    expect(new Set(plans.map((plan) => JSON.stringify({ ...plan, seed: 0, name: '' }))).size).toBe(
      SEEDS.length,
    )
  })

  it('draws every kind of fault and of client, every profile, size and layout', () => {
    expect(new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(
      new Set(OF_SEEDS),
    )
    expect(kindsOfClients(plans)).toEqual(
      new Set(['producer', 'reader', 'offsets-watcher', 'group', 'admin', 'connect', 'kafkajs']),
    )
    expect(new Set(plans.map(({ profile }) => profile))).toEqual(
      new Set(['data', 'groups', 'quorum', 'connect']),
    )
    expect(new Set(plans.map(({ cluster }) => cluster.brokers))).toEqual(new Set([1, 2, 3, 4, 5]))
    expect(new Set(plans.map(({ cluster }) => cluster.controllers))).toEqual(new Set([1, 3, 5]))
    expect(new Set(plans.map(({ cluster }) => cluster.layout))).toEqual(
      new Set(['separate', 'combined']),
    )
  })

  it('draws every acks, compression, assignor and boundary of limits', () => {
    const clients = plans.flatMap(({ workload }) => workload)
    const producers = clients.flatMap((client) => (client.kind === 'producer' ? client : []))
    const groups = clients.flatMap((client) => (client.kind === 'group' ? client : []))
    expect(new Set(producers.map(({ acks }) => acks))).toEqual(new Set([-1, 0, 1]))
    expect(new Set(producers.map(({ compression }) => compression)).size).toBe(5)
    expect(new Set(producers.map(({ inFlight }) => inFlight))).toEqual(new Set([1, 2, 5]))
    expect(new Set(groups.map(({ assignor }) => assignor)).size).toBe(3)
    expect(
      new Set(plans.map(({ cluster }) => cluster.properties['replica.fetch.max.bytes'])),
    ).toEqual(new Set(['0', '1', '300', '4096', '1048576']))
  })

  it('leaves some kinds of fault out of every plan and some plans without any', () => {
    const counts = plans.map(({ faults }) => new Set(faults.map(({ kind }) => kind)).size)
    expect(Math.max(...counts)).toBeLessThan(FAULT_KINDS.length)
    expect(Math.min(...counts)).toBe(0)
  })

  it('keeps most plans within the budget, many of them with damage, and some not', () => {
    const isWithin = (plan: Plan): boolean => budgetOf(plan).holdsDurability
    const within = plans.filter(isWithin)
    expect(within.length).toBeGreaterThan(plans.length * 0.8)
    expect(within.length).toBeLessThan(plans.length * 0.97)
    const damaged = within.filter(({ faults }) => faults.some(({ kind }) => DAMAGE_KINDS.has(kind)))
    expect(damaged.length).toBeGreaterThan(plans.length / 10)
    const kinds = new Set(damaged.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
    for (const kind of DAMAGE_KINDS) expect(kinds).toContain(kind)
  })

  it('places faults at moments of the protocol that are known as probes', () => {
    const names = plans.flatMap(({ faults }) =>
      faults.flatMap(({ atProbe }) => atProbe?.name ?? []),
    )
    const known = new Set(PROBES.map(({ name }) => name))
    expect(new Set(names)).toEqual(new Set(BOUNDARY_PROBES))
    for (const name of BOUNDARY_PROBES) expect(known).toContain(name)
  })

  it('draws small seeds with every kind of fault, on three brokers mostly', () => {
    const small = SEEDS.map((seed) => planOfSeed(seed, { profile: 'all', size: 'small' }))
    const kinds = new Set(small.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
    expect(OF_SEEDS.filter((kind) => !kinds.has(kind))).toEqual([])
    expect(Math.max(...small.map(({ chaosMs }) => chaosMs))).toBeLessThan(6000)
    const threes = small.filter(({ cluster }) => cluster.brokers === 3)
    expect(threes.length).toBeGreaterThan(small.length * 0.8)
    expect(small.filter(({ faults }) => faults.length === 0).length).toBeLessThan(
      small.length * 0.1,
    )
  })

  it('refuses transactions with one line', () => {
    expect(() => planOfSeed(1, { profile: 'transactions', size: 'full' })).toThrow(
      /no plan of it can be drawn yet/,
    )
  })
})

describe('standardPlan', () => {
  it('is valid, and depends on the seed in its randomness only', () => {
    expect(() => validatePlan(standardPlan(3))).not.toThrow()
    expect({ ...standardPlan(3), seed: 4, name: 'standard-4' }).toEqual(standardPlan(4))
  })
})

function kindsOfClients(of: readonly Plan[]): ReadonlySet<string> {
  return new Set(of.flatMap(({ workload }) => workload.map(({ kind }) => kind)))
}
