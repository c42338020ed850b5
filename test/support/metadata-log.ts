import type { PartitionLog } from '../../broker/log/partition-log.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { SimpleLog } from './simple-log.ts'

export function openMetadataLog({ disk }: NodePorts): PartitionLog {
  return new SimpleLog(disk) as unknown as PartitionLog
}
