import { messageOf } from '../../base/errors.ts'
import { createClient, type Producer, type ProducerRecord } from '../../client/index.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { NodeRandom } from '../../real/node-random.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { untilAskedToStop } from '../until-asked-to-stop.ts'
import { tellUnknown } from './client-settings.ts'
import { linesOf, recordOfLine } from './line-reader.ts'
import type { ProducerPlan } from './producer-options.ts'

/** What may be on its way at once; a faster reader waits, so memory is bounded. */
const MAX_OPEN_RECORDS = 10_000
const MAX_OPEN_CHARACTERS = 8 * 1024 * 1024
const INTERRUPTED = 130

/** Sends the lines of standard input until it ends, and gives the exit code. A signal sends what was read and ends. */
export async function runProducer(plan: ProducerPlan, io: ToolIo): Promise<number> {
  const client = createClient({
    bootstrapServers: plan.bootstrapServers,
    ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
  })
  const stop = untilAskedToStop({ endsWithStdin: false })
  try {
    const producer = client.producer(plan.properties)
    tellUnknown(producer.unknownProperties, io)
    const isInterrupted = await Promise.race([
      stop.asked.then(() => true),
      sendLines(producer, plan, io).then(() => false),
    ])
    return isInterrupted ? INTERRUPTED : 0
  } finally {
    process.stdin.destroy()
    await client.close()
    stop.release()
  }
}

async function sendLines(producer: Producer, plan: ProducerPlan, io: ToolIo): Promise<void> {
  const prompt = process.stdin.isTTY && process.stdout.isTTY ? '>' : ''
  const open = { sends: new Set<Promise<void>>(), characters: 0 }
  let lineNumber = 0
  process.stdout.write(prompt)
  for await (const line of linesOf(process.stdin as AsyncIterable<Buffer>)) {
    lineNumber += 1
    const record = recordOfLine(plan.format, plan.topic, line, lineNumber)
    if (plan.isSync) await producer.send(record)
    else {
      open.characters += line.length
      const sent = sendAndTell(producer, record, io).finally(() => {
        open.characters -= line.length
        open.sends.delete(sent)
      })
      open.sends.add(sent)
      while (open.sends.size >= MAX_OPEN_RECORDS || open.characters >= MAX_OPEN_CHARACTERS) {
        await Promise.race(open.sends)
      }
    }
    process.stdout.write(prompt)
  }
  await Promise.all([producer.flush(), ...open.sends])
}

/** A record that cannot be stored is told, and the next one is tried, as Kafka's tool does unless it is told to wait. */
async function sendAndTell(producer: Producer, record: ProducerRecord, io: ToolIo): Promise<void> {
  try {
    await producer.send(record)
  } catch (error) {
    const sizeOf = (bytes: ProducerRecord['key']): string =>
      bytes === null || bytes === undefined ? 'null' : `${Buffer.byteLength(bytes)} bytes`
    io.err(
      `Error when sending message to topic ${record.topic} with key: ${sizeOf(record.key)}, ` +
        `value: ${sizeOf(record.value)} with error: ${messageOf(error)}`,
    )
  }
}
