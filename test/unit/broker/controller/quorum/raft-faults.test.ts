import { describe, expect, it } from 'vitest'
import { RaftCluster } from '../../../../support/raft-cluster.ts'
import { harass } from '../../../../support/raft-nemesis.ts'

describe('a quorum under faults', () => {
  it('x', () => {
    const from = Number(process.env['FROM'] ?? 1), count = Number(process.env['COUNT'] ?? 30)
    const total: Record<string, number> = {}
    for (let seed = from; seed < from + count; seed++) {
      const voters = [3, 5, 3, 1, 2, 3][seed % 6]!
      const cluster = new RaftCluster({ seed, voters, observers: seed % 3 === 0 ? 1 : 0 })
      try { harass(cluster, { durationMs: 6000, losesUnsynced: true }) } catch (e) { 
        console.log('SEED', seed, voters, (e as Error).stack, cluster.describe()); 
        if (process.env['ROWS']) console.log(cluster.world.trace.rows().filter(r => !r.kind.startsWith('network.')).slice(-Number(process.env['ROWS'])).map(r => `${r.atUs/1000} ${r.node} ${r.kind} ${JSON.stringify(r.fields)}`).join('\n'))
        throw e }
      for (const [k, v] of Object.entries(cluster.checker.counts)) total[k] = (total[k] ?? 0) + v
    }
    console.log(total)
  }, 300_000)
})
