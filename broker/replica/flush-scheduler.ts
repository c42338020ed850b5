import type { Config } from '../../src/base/config-def.ts'
import type { Offset, TimestampMs } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Partition } from './partition.ts'
import type { PeriodicTask } from './periodic-tasks.ts'

interface LastFlush {
  readonly recoveryPoint: Offset
  readonly atMs: TimestampMs
}

/**
 * flush.ms: every log.flush.scheduler.interval.ms, which by default is never, the logs are flushed whose last flush is
 * so long ago. A recovery point that has moved is a flush that was seen.
 */
export function flushTask(
  config: Config,
  clock: Clock,
  partitions: () => Iterable<Partition>,
): PeriodicTask {
  const flushes = new WeakMap<Partition, LastFlush>()
  const look = (partition: Partition, nowMs: TimestampMs): void => {
    const { log } = partition
    const { recoveryPoint } = log
    const last = flushes.get(partition)
    if (last === undefined || last.recoveryPoint !== recoveryPoint) {
      flushes.set(partition, { recoveryPoint, atMs: nowMs })
    }
    const ageMs = nowMs - (flushes.get(partition)?.atMs ?? nowMs)
    if (ageMs < log.config.flushMs || recoveryPoint >= log.logEndOffset || log.hasFailed) return
    flushes.set(partition, { recoveryPoint, atMs: nowMs })
    log.flush(() => undefined)
  }
  return {
    everyMs: config.long('log.flush.scheduler.interval.ms'),
    tag: 'replica.flush',
    run: () => {
      const nowMs = clock.monoMs()
      for (const partition of partitions()) look(partition, nowMs)
    },
  }
}
