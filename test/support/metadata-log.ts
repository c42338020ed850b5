import { DEFAULT_LOG_CONFIG } from '../../broker/log/log-config.ts'
import { PartitionLog } from '../../broker/log/partition-log.ts'
import { METADATA_TOPIC_ID } from '../../src/base/uuid.ts'
import type { NodePorts } from '../../src/ports/ports.ts'

/** The metadata log of a node in its usual place, recovered in full. */
export function openMetadataLog({ disk, clock, events }: NodePorts): PartitionLog {
  return PartitionLog.open({
    disk,
    directory: '__cluster_metadata-0',
    topic: '__cluster_metadata',
    partition: 0,
    topicId: METADATA_TOPIC_ID,
    config: DEFAULT_LOG_CONFIG,
    recoveryPoint: 0,
    isCleanShutdown: false,
    nowMs: clock.wallMs(),
    events,
  })
}
