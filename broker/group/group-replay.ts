import { AssertionError } from '../../src/base/assert.ts'
import type { Offset } from '../../src/base/ids.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { forEachBatch } from '../../src/wire/record-batch.ts'
import { replayBatch } from '../coordinator/loader.ts'
import { ShardTimers } from '../coordinator/timer.ts'
import { DEFAULT_GROUP_CONFIG } from './group-config.ts'
import { dumpOfGroups } from './group-dump.ts'
import { GroupShard } from './group-shard.ts'

/** Whole batches from the one that holds `offset` on; no bytes at the end. */
export type ReadBatches = (offset: Offset) => Buffer

/** The dump of a fresh shard into which the records of [from, upTo) were replayed. */
export function dumpOfReplay(read: ReadBatches, from: Offset, upTo: Offset): string {
  const shard = createIdleShard()
  for (let next = from; next < upTo;) {
    const endOffset = replayFrom(shard, read(next), next, upTo)
    if (endOffset === next) break
    next = endOffset
  }
  return dumpOfGroups(shard)
}

/** Replays the batches of [from, upTo) in `bytes`; returns the offset after the last of them. */
function replayFrom(shard: GroupShard, bytes: Buffer, from: Offset, upTo: Offset): Offset {
  let next = from
  forEachBatch(bytes, (header, position) => {
    if (header.lastOffset < next || header.lastOffset >= upTo) return
    replayBatch(shard, { bytes, header, position }, next)
    next = header.lastOffset + 1
  })
  return next
}

/** A shard that only replays: it has no time, sets no timer and tells nobody. */
function createIdleShard(): GroupShard {
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
  return new GroupShard(
    {
      partition: 0,
      clock,
      random,
      events: { emit: () => undefined },
      timers: new ShardTimers(clock, () => undefined),
    },
    DEFAULT_GROUP_CONFIG,
  )
}
