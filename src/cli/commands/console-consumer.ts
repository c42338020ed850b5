import { CONSUMER_OPTIONS } from '../console/consumer-flags.ts'
import { plainToolCommand, type PlainTool } from '../kafka-tool.ts'
import type { ToolCommand } from '../kafka-tool.ts'

/** kafka-console-consumer.sh. */
export const consoleConsumerTool: PlainTool = {
  name: 'console-consumer',
  summary: 'Show records on standard output (kafka-console-consumer.sh).',
  about: 'This tool helps to read data from Kafka topics and outputs it to standard output.',
  options: CONSUMER_OPTIONS,
  run: async (options, io) => {
    // Loaded only now: the formatters bring the tables of all records.
    const { consumerPlan } = await import('../console/consumer-options.ts')
    const plan = consumerPlan(options, io)
    const { runConsumer } = await import('../console/run-consumer.ts')
    return runConsumer(plan, io)
  },
}

/** `kafkette console-consumer`. */
export function consoleConsumerCommand(): ToolCommand {
  return plainToolCommand(consoleConsumerTool)
}
