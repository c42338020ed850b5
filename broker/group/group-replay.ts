import type { Offset } from '../../src/base/ids.ts'
import { idlePorts, replayLog, type ReadBatches } from '../coordinator/log-replay.ts'
import { DEFAULT_GROUP_CONFIG } from './group-config.ts'
import { dumpOfGroups } from './group-dump.ts'
import { GroupShard } from './group-shard.ts'

/** The dump of a fresh shard into which the records of [from, upTo) were replayed. */
export function dumpOfReplay(read: ReadBatches, from: Offset, upTo: Offset): string {
  const shard = new GroupShard(idlePorts(), DEFAULT_GROUP_CONFIG)
  replayLog(shard, read, from, upTo)
  return dumpOfGroups(shard)
}
