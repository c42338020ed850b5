// Goal: the simulated ports keep the contracts that the real ones keep (test/unit/src/real). Method: the shared suites.
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { describeNetwork } from '../../../support/network-contract.ts'
import {
  describeClock,
  describeDisk,
  describeRandom,
  describeStore,
  type PortHarness,
} from '../../../support/port-contracts.ts'

const LIMIT_MS = 60_000

function harnessOf(world: SimWorld): PortHarness {
  return {
    until: (condition) =>
      world.runUntil(condition, LIMIT_MS)
        ? Promise.resolve()
        : Promise.reject(new Error('the awaited condition never held')),
    dispose: () => {},
  }
}

describeClock('SimClock', () => {
  const world = new SimWorld({ seed: 1 })
  return { ...harnessOf(world), clock: world.node('n').ports.clock }
})
describeRandom('SimRandom', () => SimRandom.ofSeed(1))
describeDisk('SimDisk', () => {
  const world = new SimWorld({ seed: 1 })
  return { ...harnessOf(world), disk: world.node('n').ports.disk }
})
describeStore('SimStore', () => {
  const world = new SimWorld({ seed: 1 })
  return { ...harnessOf(world), store: world.node('n').ports.store }
})
describe2Nodes('SimNetwork', 1)
describe2Nodes('SimNetwork with other latencies', 7)

function describe2Nodes(name: string, seed: number): void {
  describeNetwork(name, () => {
    const world = new SimWorld({ seed, cutPermille: 500 })
    return {
      ...harnessOf(world),
      server: world.node('server').ports.network,
      client: world.node('client').ports.network,
      host: 'server',
    }
  })
}
