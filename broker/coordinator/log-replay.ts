import { AssertionError } from '../../src/base/assert.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { forEachBatch } from '../../src/wire/record-batch.ts'
import { replayBatch } from './loader.ts'
import type { CoordinatorShard, ShardPorts } from './shard.ts'
import { ShardTimers } from './timer.ts'

/** Whole batches from the one that holds `offset` on; no bytes at the end. */
export type ReadBatches = (offset: Offset) => Buffer

/** Replays the records of [from, upTo) of a log into a shard. */
export function replayLog(
  shard: CoordinatorShard,
  read: ReadBatches,
  from: Offset,
  upTo: Offset,
): void {
  for (let next = from; next < upTo;) {
    const endOffset = replayBytes(shard, read(next), next, upTo)
    if (endOffset === next) return
    next = endOffset
  }
}

/** Replays the batches of [from, upTo) in `bytes`; returns the offset after the last of them. */
function replayBytes(shard: CoordinatorShard, bytes: Buffer, from: Offset, upTo: Offset): Offset {
  let next = from
  forEachBatch(bytes, (header, position) => {
    if (header.lastOffset < next || header.lastOffset >= upTo) return
    replayBatch(shard, { bytes, header, position }, next)
    next = header.lastOffset + 1
  })
  return next
}

/** The ports of a shard that only replays: it has no time, sets no timer and tells nobody. */
export function idlePorts(): ShardPorts {
  const timer: Timer = { tag: 'idle' }
  const clock: Clock = {
    monoMs: () => 0,
    wallMs: () => 0,
    after: () => timer,
    cancel: () => undefined,
  }
  const draw = (): never => {
    throw new AssertionError('a replay draws no random numbers')
  }
  const random: Random = { u32: draw, below: draw, bytes: draw, fork: draw }
  return {
    partition: 0,
    clock,
    random,
    events: { emit: () => undefined },
    timers: new ShardTimers(clock, () => undefined),
  }
}
