import { describe, expect, it } from 'vitest'
import type { ClusterPicture } from '../../../../../src/chaos/real/cluster-watch.ts'
import { resolveTarget } from '../../../../../src/chaos/real/fault-targets.ts'
import { outOfReach } from '../../../../../src/chaos/real/process-fault-kinds.ts'
import { hostOf, nodeNameOf } from '../../../../../src/chaos/real/stage-layout.ts'
import type { StageNode } from '../../../../../src/chaos/real/stage-node.ts'
import { failover } from '../../../../../scenarios/failover.ts'
import { at } from '../../../../../scenarios/lib/plan-builders.ts'

const nodes = [1, 2, 3].map((id) => ({ id, name: `n${id}`, isVoter: id < 3 }) as StageNode)
const picture: ClusterPicture = {
  askedMs: 1,
  controller: 2,
  answering: [1, 2, 3],
  unfenced: [1, 2, 3],
  partitions: new Map([
    [
      't-0',
      { topic: 't', partition: 0, leader: 2, leaderEpoch: 4, replicas: [2, 1, 3], isr: [2, 3] },
    ],
  ]),
}
const context = {
  nodes,
  clients: ['producer-1'],
  picture,
  coordinatorOf: (group: string) => Promise.resolve(group === 'g' ? 3 : -1),
}

describe('a target over processes', () => {
  it.each([
    ['leader(t-0)', ['n2']],
    ['leader(t-9)', []],
    ['follower(t-0,0)', ['n3']],
    ['follower(t-0,1)', ['n1']],
    ['replica(t-0,1)', ['n1']],
    ['controller', ['n2']],
    ['other-controller(0)', ['n1']],
    ['coordinator(g)', ['n3']],
    ['coordinator(other)', []],
    ['any-broker(4)', ['n2']],
    ['all', ['n1', 'n2', 'n3']],
    ['b3', ['n3']],
    ['c1', ['n1']],
    ['n2', ['n2']],
    ['producer-1', ['producer-1']],
    ['n9', []],
    ['nonsense(', []],
  ])('%s is %j', async (target, names) => {
    expect(await resolveTarget(target, context)).toEqual(names)
  })

  it('knows a node by the client ids of both programs, and a client by its own', () => {
    expect(
      ['raft-client-2', 'broker-3-fetcher-0', 'broker-1-to-controller', '2'].map(hostOf),
    ).toEqual(['n2', 'n3', 'n1', 'n2'])
    expect(['producer-1', 'watch', ''].map(hostOf)).toEqual(['producer-1', 'watch', ''])
    expect(nodeNameOf('reader')).toBeNull()
  })

  it('names the faults that processes cannot be given, and those that a foreign cluster cannot', () => {
    const plan = failover.plan(1)
    const faults = [
      ...plan.faults,
      at('1s', 'power-cut', 'n1'),
      at('1s', 'alter-topic', 'controller'),
    ]
    expect(outOfReach({ ...plan, faults }, 'processes')).toEqual(['power-cut'])
    expect(outOfReach({ ...plan, faults }, 'clients-only')).toEqual(['crash', 'power-cut'])
    expect(outOfReach(plan, 'processes')).toEqual([])
  })
})
