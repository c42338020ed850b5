import { plainToolCommand, type PlainTool } from '../kafka-tool.ts'
import { PRODUCER_OPTIONS, producerPlan } from '../console/producer-options.ts'
import type { ToolCommand } from '../kafka-tool.ts'

/** kafka-console-producer.sh. */
export const consoleProducerTool: PlainTool = {
  name: 'console-producer',
  summary: 'Send each line of standard input as a record (kafka-console-producer.sh).',
  about: 'This tool helps to read data from standard input and publish it to Kafka.',
  options: PRODUCER_OPTIONS,
  run: async (options, io) => {
    const plan = producerPlan(options, io)
    const { runProducer } = await import('../console/run-producer.ts')
    return runProducer(plan, io)
  },
}

/** `kafkette console-producer`. */
export function consoleProducerCommand(): ToolCommand {
  return plainToolCommand(consoleProducerTool)
}
