import { ConnectionError, messageOf, TimeoutError } from '../../base/errors.ts'
import {
  createClient,
  isRetriableError,
  type Consumer,
  type ConsumerRecord,
} from '../../client/index.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { NodeRandom } from '../../real/node-random.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { untilAskedToStop } from '../until-asked-to-stop.ts'
import { tellUnknown } from './client-settings.ts'
import type { ConsumerPlan } from './consumer-options.ts'

const POLL_MS = 1000
const INTERRUPTED = 130
const FAILED = 1

/** Shows records until there were enough, none comes, or a signal; gives the exit code. */
export async function runConsumer(plan: ConsumerPlan, io: ToolIo): Promise<number> {
  const client = createClient({
    bootstrapServers: plan.bootstrapServers,
    ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
  })
  const consumer = client.consumer(plan.properties)
  tellUnknown(consumer.unknownProperties, io)
  const reader = new RecordReader(consumer, plan, io)
  const stop = untilAskedToStop({ endsWithStdin: false })
  void stop.asked.then(() => reader.stop())
  let code = 0
  try {
    reader.begin()
    await reader.showAll()
  } catch (error) {
    io.err(`Unknown error when running consumer: ${messageOf(error)}`)
    code = FAILED
  }
  reader.forgetUnshown()
  await client.close()
  io.err(`Processed a total of ${reader.count} messages`)
  if (plan.tellsShutdown) io.out('shutdown_complete')
  stop.release()
  return stop.signal.aborted ? INTERRUPTED : code
}

class RecordReader {
  /** Records that were taken to be shown. */
  count = 0
  readonly #consumer: Consumer
  readonly #plan: ConsumerPlan
  readonly #io: ToolIo
  #waiting: ConsumerRecord[] = []
  #isOver = false

  constructor(consumer: Consumer, plan: ConsumerPlan, io: ToolIo) {
    this.#consumer = consumer
    this.#plan = plan
    this.#io = io
    process.stdout.on('error', () => {
      if (!this.#isOver) io.err('Unable to write to standard out, closing consumer.')
      this.stop()
    })
  }

  begin(): void {
    const { from } = this.#plan
    if (from.kind === 'topic') this.#consumer.subscribe([from.topic])
    else if (from.kind === 'include') this.#consumer.subscribe(from.pattern)
    else {
      const { topic, partition, startAt } = from
      this.#consumer.assign([{ topic, partition }])
      if (startAt === 'earliest') this.#consumer.seekToBeginning([{ topic, partition }])
      else if (startAt === 'latest') this.#consumer.seekToEnd([{ topic, partition }])
      else this.#consumer.seek({ topic, partition }, startAt)
    }
  }

  stop(): void {
    this.#isOver = true
    this.#consumer.wakeup()
  }

  /** What was fetched and not shown is not committed as read. */
  forgetUnshown(): void {
    const seen = new Set<string>()
    for (const { topic, partition, offset } of this.#waiting) {
      const key = `${topic}-${partition}`
      if (seen.has(key)) continue
      seen.add(key)
      this.#consumer.seek({ topic, partition }, offset)
    }
    this.#waiting = []
  }

  /** Throws what a formatter throws, unless such records are skipped. */
  async showAll(): Promise<void> {
    const { maxMessages, formatter, skipsErrors } = this.#plan
    while (this.count < maxMessages) {
      const record = await this.#next()
      if (record === null) return
      this.count += 1
      let bytes: Buffer
      try {
        bytes = formatter(record)
      } catch (error) {
        if (!skipsErrors) throw error
        this.#io.err(`Error processing message, skipping this message: ${messageOf(error)}`)
        continue
      }
      if (bytes.length > 0 && !process.stdout.write(bytes)) await drained()
    }
  }

  /** Null at the end: a signal, nothing for too long, or an error, which is told. */
  async #next(): Promise<ConsumerRecord | null> {
    const startedMs = performance.now()
    while (this.#waiting.length === 0 && !this.#isOver) {
      const leftMs = startedMs + this.#plan.timeoutMs - performance.now()
      if (leftMs <= 0) {
        this.#io.err(
          'Error processing message, terminating consumer process: ' +
            'org.apache.kafka.common.errors.TimeoutException',
        )
        return null
      }
      if (!(await this.#poll(Math.min(POLL_MS, leftMs)))) return null
    }
    return this.#isOver ? null : (this.#waiting.shift() ?? null)
  }

  /** False after an error that no later poll can mend. */
  async #poll(maxWaitMs: number): Promise<boolean> {
    try {
      this.#waiting = [...(await this.#consumer.poll(maxWaitMs))]
      return true
    } catch (error) {
      const passes =
        error instanceof ConnectionError ||
        error instanceof TimeoutError ||
        (error instanceof Error && isRetriableError(error))
      const what = passes ? 'warning' : 'Error processing message, terminating consumer process'
      this.#io.err(`${what}: ${messageOf(error)}`)
      return passes
    }
  }
}

/** Resolves also when nobody reads any more. */
function drained(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once('drain', resolve)
    process.stdout.once('error', () => resolve())
  })
}
