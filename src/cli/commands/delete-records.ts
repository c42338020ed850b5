import { topicPartitionKey } from '../../base/topic-partition.ts'
import type { Admin, RecordsToDelete } from '../../client/index.ts'
import { brokersOf, readTextFile } from '../command-config.ts'
import { duplicates } from '../java-values.ts'
import { checkJsonVersion, parseJson } from '../json-input.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { option, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { executionMessage, ToolError } from '../tool-errors.ts'

/** kafka-delete-records.sh. */
export const deleteRecordsTool: KafkaTool = {
  name: 'delete-records',
  summary: 'Delete the records of partitions before an offset (kafka-delete-records.sh).',
  about: 'This tool helps to delete records of the given partitions down to the specified offset.',
  options: [
    option(
      'bootstrap-server',
      'REQUIRED: host:port of one or more brokers.',
      'server(s) to use for bootstrapping',
    ),
    option(
      'offset-json-file',
      'REQUIRED: a JSON file with the first offset to keep (-1: the high watermark) of each partition:\n' +
        '{"partitions":\n  [{"topic": "foo", "partition": 1, "offset": 1}],\n "version":1\n}',
      'Offset json file path',
    ),
    option(
      'command-config',
      'A properties file for the admin client.',
      'command config property file path',
    ),
  ],
  check: (options) => requireOptions(options, ['bootstrap-server', 'offset-json-file']),
  connection: brokersOf,
  run,
}

/** `kafkette delete-records`. */
export function deleteRecordsCommand(): ToolCommand {
  return toolCommand(deleteRecordsTool)
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  const records = parseRecordsToDelete(readTextFile(options.value('offset-json-file') ?? ''))
  io.out('Executing records delete operation')
  const outcomes = await admin.records.delete(records)
  io.out('Records delete operation completed:')
  for (const { topic, partition } of records) {
    const key = topicPartitionKey(topic, partition)
    const outcome = outcomes.get(key)
    const told =
      outcome instanceof Error
        ? `error: ${executionMessage(outcome)}`
        : `low_watermark: ${outcome ?? -1}`
    io.out(`partition: ${key}\t${told}`)
  }
}

/** The file of `--offset-json-file`. Throws `ToolError`. */
export function parseRecordsToDelete(text: string): readonly RecordsToDelete[] {
  const json = parseJson(text)
  if (json === null) throw new ToolError('The input string is not a valid JSON')
  checkJsonVersion(json)
  const partitions = json.get('partitions')
  if (partitions === null) throw new ToolError('Missing partitions field')
  const records = partitions
    .array()
    .map((each) => ({ ...each.topicPartition(), offset: each.field('offset').long() }))
  const repeated = duplicates(
    records.map(({ topic, partition }) => topicPartitionKey(topic, partition)),
  )
  if (repeated.length === 0) return records
  throw new ToolError(`Offset json file contains duplicate topic partitions: ${repeated.join(',')}`)
}
