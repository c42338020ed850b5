import { writeSync } from 'node:fs'
import { present } from '../../base/assert.ts'
import type { DeterminismTask, SeedHash, SeedTrace, TraceTask } from './determinism-messages.ts'
import { traceSeed } from './run-seed.ts'

// One process of the determinism gate. The compile cache stays off: it would make the processes more alike.

const STDOUT = 1

const task = JSON.parse(present(process.argv[2], 'a task')) as DeterminismTask
const answer = task.kind === 'hashes' ? await hashes(task) : await trace(task)
let rest = Buffer.from(JSON.stringify(answer))
while (rest.length > 0) rest = rest.subarray(writeSync(STDOUT, rest))

async function hashes({
  swarm,
  seeds,
}: Extract<DeterminismTask, { kind: 'hashes' }>): Promise<readonly SeedHash[]> {
  const found: SeedHash[] = []
  for (const seed of seeds) {
    const { hash } = await traceSeed(seed, swarm, { fromRow: 0, toRow: 0 })
    found.push({ seed, hash })
  }
  return found
}

async function trace({ swarm, before, seed, fromRow, toRow }: TraceTask): Promise<SeedTrace> {
  for (const each of before) await traceSeed(each, swarm, { fromRow: 0, toRow: 0 })
  return traceSeed(seed, swarm, { fromRow, toRow })
}
