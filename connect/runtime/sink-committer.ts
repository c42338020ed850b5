import { messageOf } from '../../src/base/errors.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { SinkTask, TopicOffset } from '../api.ts'
import type { ConnectConsumer } from './kafka-clients.ts'
import type { SinkOffsets } from './sink-offsets.ts'
import { settlesWithin } from './waiting.ts'
import type { Voice } from './worker-event.ts'

export interface SinkCommitterOptions {
  readonly task: SinkTask
  readonly consumer: Pick<ConnectConsumer, 'commitAsync' | 'commitSync' | 'seek'>
  readonly offsets: SinkOffsets
  readonly clock: Clock
  readonly voice: Voice
  /** `offset.flush.timeout.ms` */
  readonly timeoutMs: number
}

/** Commits a sink task's offsets: in the background while it works, and for good before partitions go. */
export class SinkCommitter {
  readonly #options: SinkCommitterOptions
  /** Number of the newest commit; the outcome of an older one counts for nothing. */
  #sequence = 0
  /** When the commit that runs was begun; null: none runs. */
  #sinceMs: number | null = null

  constructor(options: SinkCommitterOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#sinceMs !== null
  }

  /** A commit that takes longer than `offset.flush.timeout.ms` is not waited for; the next one may begin. */
  giveUpLate(): void {
    const { clock, timeoutMs, voice } = this.#options
    if (this.#sinceMs === null || clock.monoMs() < this.#sinceMs + timeoutMs) return
    voice.tell('warning', 'warn', `an offset commit took longer than ${timeoutMs} ms`)
    this.#sequence += 1
    this.#sinceMs = null
  }

  /** Begins a commit. When the task cannot make its records durable, everything since the last one is read again. */
  async commit(): Promise<void> {
    const { task, offsets, voice, consumer, clock } = this.#options
    let wanted: readonly TopicOffset[]
    try {
      wanted = await preCommit(task, offsets.currentOf(offsets.partitions))
    } catch (error) {
      voice.tell(
        'warning',
        'error',
        `offsets not committed, records are read again: ${messageOf(error)}`,
      )
      for (const each of offsets.rewind()) consumer.seek(each, each.offset)
      return
    }
    const changed = offsets.committable(wanted)
    if (changed.length === 0) return
    this.#sequence += 1
    const sequence = this.#sequence
    this.#sinceMs = clock.monoMs()
    consumer.commitAsync(changed, (error) => {
      if (sequence !== this.#sequence) return
      this.#sinceMs = null
      if (error === null) offsets.markCommitted(changed)
      else
        voice.tell('warning', 'warn', `offsets not committed, tried again later: ${error.message}`)
    })
  }

  /** The last commit of these partitions, waited for. Never rejects. */
  async commitLast(partitions: readonly TopicPartition[]): Promise<void> {
    const { task, offsets, voice, consumer, clock, timeoutMs } = this.#options
    this.#sequence += 1
    this.#sinceMs = null
    let problem: string | null = null
    try {
      const changed = offsets.committable(await preCommit(task, offsets.currentOf(partitions)))
      if (changed.length === 0) return
      const committed = consumer.commitSync(changed).catch((error: unknown) => {
        problem = messageOf(error)
      })
      if (!(await settlesWithin(clock, timeoutMs, committed))) {
        problem = `not done within offset.flush.timeout.ms ${timeoutMs}`
      }
      if (problem === null) offsets.markCommitted(changed)
    } catch (error) {
      problem = messageOf(error)
    }
    if (problem !== null) {
      voice.tell('warning', 'warn', `the last offsets were not committed: ${problem}`)
    }
  }
}

async function preCommit(
  task: SinkTask,
  current: readonly TopicOffset[],
): Promise<readonly TopicOffset[]> {
  if (task.preCommit !== undefined) return await task.preCommit(current)
  await task.flush?.(current)
  return current
}
