import type { Config } from '../../src/base/config-def.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { flushTask } from './flush-scheduler.ts'
import type { Partition } from './partition.ts'
import type { PeriodicTask } from './periodic-tasks.ts'

export interface ReplicaTasksOptions {
  readonly config: Config
  readonly clock: Clock
  readonly partitions: () => Iterable<Partition>
  readonly writeCheckpoints: () => void
  readonly deleteOldSegments: () => void
}

/** What a broker does with its replicas again and again, by the settings that say how often. */
export function replicaTasks(options: ReplicaTasksOptions): readonly PeriodicTask[] {
  const { config, clock, partitions } = options
  return [
    {
      everyMs: config.long('replica.lag.time.max.ms') / 2,
      tag: 'replica.isr-check',
      run: () => {
        for (const partition of partitions()) partition.shrinkIsr()
      },
    },
    {
      everyMs: config.long('replica.high.watermark.checkpoint.interval.ms'),
      tag: 'replica.checkpoint',
      run: options.writeCheckpoints,
    },
    {
      everyMs: config.long('log.retention.check.interval.ms'),
      tag: 'replica.retention',
      run: options.deleteOldSegments,
    },
    {
      everyMs: config.int('producer.id.expiration.check.interval.ms'),
      tag: 'replica.producer-expiry',
      run: () => {
        for (const { log } of partitions()) log.expireProducers(clock.wallMs())
      },
    },
    flushTask(config, clock, partitions),
  ]
}
