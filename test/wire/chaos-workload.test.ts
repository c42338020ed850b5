// Goal: the clients of the chaos workload are the same over real TCP as in simulation. Method: inline brokers, real
// sockets and timers; producers, readers, a group, an admin and a Connect worker, then the complete read.
import { describe, expect, it } from 'vitest'
import { History } from '../../src/chaos/history/history.ts'
import type { WorkloadPlan } from '../../src/chaos/plan/workload-plan.ts'
import { createActors } from '../../src/chaos/workload/create-actors.ts'
import { FinalReader } from '../../src/chaos/workload/final-reader.ts'
import { VerificationProduce } from '../../src/chaos/workload/verification-produce.ts'
import { createClient } from '../../src/client/index.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { MemoryDisk } from '../../src/real/memory-disk.ts'
import { MemoryStore } from '../../src/real/memory-store.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { NodeRandom } from '../../src/real/node-random.ts'
import { until } from '../../scenarios/lib/until.ts'
import { historyProblems } from '../support/chaos-world.ts'

const LIMIT_MS = 20_000
const SHARED = { topic: 't', partitions: [0, 1], everyMs: 20 } as const
const PLANS: readonly WorkloadPlan[] = [
  {
    kind: 'producer',
    name: 'p',
    acks: -1,
    idempotent: true,
    inFlight: 5,
    batchRecords: 2,
    valueBytes: 50,
    compression: 'lz4',
    keys: 3,
    requestTimeoutMs: 5000,
    probes: true,
    ...SHARED,
  },
  { kind: 'reader', name: 'r', isolation: 'read_committed', ...SHARED },
  { kind: 'offsets-watcher', name: 'w', ...SHARED },
  { kind: 'admin', name: 'a', everyMs: 300 },
  {
    kind: 'group',
    name: 'g',
    groupId: 'group',
    topic: 't',
    members: 2,
    assignor: 'cooperative-sticky',
    commit: 'after-processing',
    commitEveryMs: 200,
    sessionTimeoutMs: 6000,
    isStatic: false,
    churnEveryMs: 0,
  },
  { kind: 'connect', name: 'c', topic: 'lines', tasks: 1, everyMs: 50 },
]

function clientPorts(): NodePorts {
  return {
    clock: new NodeClock(),
    network: new NodeNetwork(),
    disk: new MemoryDisk(),
    store: new MemoryStore(),
    random: new NodeRandom(),
    events: { emit: () => undefined },
  }
}

async function createTopics({ bootstrapServers }: Cluster): Promise<void> {
  const client = createClient({ bootstrapServers, ports: clientPorts() })
  const topics = ['t', 'lines'].map((name) => ({ name, partitions: 2, replicationFactor: 3 }))
  await client.admin().createTopics(topics)
  await client.close()
}

describe('chaos workload over TCP', () => {
  it('records the same kind of history as in simulation', async () => {
    await using cluster = await startCluster({
      brokers: 3,
      properties: { 'group.initial.rebalance.delay.ms': 100 },
    })
    await createTopics(cluster)
    const clock = new NodeClock()
    const startMs = clock.monoMs()
    const history = new History(() => clock.monoMs() - startMs)
    const bootstrap = cluster.brokers.map(({ host, port }) => ({ host, port }))
    const context = { history, bootstrap, random: new NodeRandom() }
    const actors = PLANS.flatMap((plan) => createActors(plan, context))
    for (const actor of actors) actor.start(clientPorts())
    const count = (op: string): number =>
      history.entries.filter(({ kind, operation }) => kind === 'ok' && operation.op === op).length
    await reach(
      'records of all kinds',
      () => count('send') > 100 && count('commit') > 3 && count('line-sunk') > 10,
    )
    await cluster.broker(2).kill()
    await reach('records after the kill', () => count('send') > 200)
    await cluster.broker(2).start()
    const verification = new VerificationProduce({ name: 'v', topics: ['t'] }, context)
    verification.start(clientPorts())
    await reach('the verification', () => verification.done())
    for (const actor of actors) actor.stop()
    await reach('the end of all actors', () => actors.every((actor) => actor.pending() === null))
    const final = new FinalReader({ name: 'final', topics: ['t', 'lines'] }, context)
    final.start(clientPorts())
    await reach('the final read', () => final.done())
    check(history)
  })
})

function reach(what: string, isReached: () => boolean): Promise<unknown> {
  return until({ what, timeoutMs: LIMIT_MS }, isReached)
}

function check(history: History): void {
  expect(historyProblems(history.entries)).toEqual([])
  const log = new Map<string, string>()
  for (const { operation } of history.entries) {
    if (operation.op !== 'poll' || operation.purpose !== 'final') continue
    for (const { offset, value } of operation.records ?? []) {
      log.set(`${operation.topic}-${operation.partition}@${offset}`, value)
    }
  }
  const oks = history.entries.filter(
    ({ kind, operation }) => kind === 'ok' && operation.op === 'send',
  )
  expect(oks.length).toBeGreaterThan(200)
  for (const { operation } of oks) {
    if (operation.op !== 'send') continue
    expect(log.get(`t-${operation.partition}@${operation.offset}`)).toBe(operation.value)
    const { expects, offset, originalOffset } = operation
    expect(expects === undefined || offset === originalOffset).toBe(true)
  }
  const ops = new Set(
    history.entries.filter(({ kind }) => kind === 'ok').map((e) => e.operation.op),
  )
  expect([...ops]).toEqual(
    expect.arrayContaining([
      'send',
      'poll',
      'list-offsets',
      'create-topic',
      'assigned',
      'commit',
      'committed',
      'line-committed',
      'line-sunk',
    ]),
  )
}
