import { plainToolCommand, type PlainTool } from '../kafka-tool.ts'
import type { DumpOptions } from '../dump-log/dump-log.ts'
import type { RecordDecoder } from '../dump-log/record-decoder.ts'
import type { ToolCommand } from '../kafka-tool.ts'
import { flag, option, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { ToolError } from '../tool-errors.ts'

const INT_MAX = 2_147_483_647
const STRING_DECODER = 'org.apache.kafka.tools.api.StringDecoder'

const DECODERS = [
  'offsets-decoder',
  'transaction-log-decoder',
  'cluster-metadata-decoder',
  'remote-log-metadata-decoder',
  'share-group-state-decoder',
  'key-decoder-class',
  'value-decoder-class',
]

/** kafka-dump-log.sh. */
export const dumpLogTool: PlainTool = {
  name: 'dump-log',
  summary: 'Show what is in the files of a log directory (kafka-dump-log.sh).',
  about:
    'This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly ' +
    'corrupt log segment.',
  options: [
    option('files', 'REQUIRED: log, index, snapshot and checkpoint files.', 'file1, file2, ...'),
    flag('print-data-log', 'Show keys and values too; every decoder turns it on.'),
    flag('deep-iteration', 'Show each record, not only batches; --print-data-log turns it on.'),
    flag('skip-record-metadata', 'Show only keys and values of records, and no control records.'),
    flag('verify-index-only', 'Compare an index with its log without showing it.'),
    flag('index-sanity-check', 'Only check an index as a broker does when it starts.'),
    option('max-bytes', 'How many bytes of a log are read.', 'size', {
      type: 'Integer',
      defaultValue: String(INT_MAX),
    }),
    option('max-message-size', 'Size of the largest message.', 'size', {
      type: 'Integer',
      defaultValue: String(5 * 1024 * 1024),
    }),
    flag('offsets-decoder', 'The records are those of __consumer_offsets.'),
    flag('transaction-log-decoder', 'The records are those of __transaction_state.'),
    flag('cluster-metadata-decoder', 'The records are those of __cluster_metadata.'),
    flag('share-group-state-decoder', 'The records are those of __share_group_state.'),
    flag('remote-log-metadata-decoder', 'Not served: refused.'),
    option(
      'key-decoder-class',
      'How keys are shown: StringDecoder, IntegerDecoder, LongDecoder.',
      '',
      {
        kind: 'optional',
        defaultValue: STRING_DECODER,
      },
    ),
    option(
      'value-decoder-class',
      'How values are shown: StringDecoder, IntegerDecoder, LongDecoder.',
      '',
      {
        kind: 'optional',
        defaultValue: STRING_DECODER,
      },
    ),
  ],
  run: async (options, io) => {
    requireOptions(options, ['files'])
    const { dumpFiles } = await import('../dump-log/dump-log.ts')
    dumpFiles((options.value('files') ?? '').split(','), await dumpOptions(options), io)
    return 0
  },
}

/** `kafkette dump-log`. */
export function dumpLogCommand(): ToolCommand {
  return plainToolCommand(dumpLogTool)
}

async function dumpOptions(options: ParsedOptions): Promise<DumpOptions> {
  const printsData =
    options.has('print-data-log') || DECODERS.some((decoder) => options.has(decoder))
  const maxBytes = options.number('max-bytes') ?? INT_MAX
  return {
    printsData,
    isDeep: printsData || options.has('deep-iteration'),
    skipsRecordMetadata: options.has('skip-record-metadata'),
    verifyOnly: options.has('verify-index-only'),
    sanityOnly: options.has('index-sanity-check'),
    maxBytes: maxBytes === INT_MAX ? Infinity : maxBytes,
    decoder: await decoderOf(options),
  }
}

async function decoderOf(options: ParsedOptions): Promise<RecordDecoder> {
  const decoders = await import('../dump-log/record-decoder.ts')
  if (options.has('offsets-decoder')) return decoders.offsetsDecoder()
  if (options.has('transaction-log-decoder')) return decoders.transactionDecoder()
  if (options.has('cluster-metadata-decoder')) return decoders.metadataDecoder()
  if (options.has('share-group-state-decoder')) return decoders.shareStateDecoder()
  if (options.has('remote-log-metadata-decoder')) {
    throw new ToolError('--remote-log-metadata-decoder: tiered storage is not served')
  }
  const [key, value] = ['key-decoder-class', 'value-decoder-class'].map((name) => {
    const className = options.value(name) ?? STRING_DECODER
    const found = decoders.bytesDecoderOf(className)
    if (found === null) throw new ToolError(className, 'java.lang.ClassNotFoundException')
    return found
  })
  const asText = (bytes: Buffer): string => bytes.toString('utf8')
  return decoders.plainDecoder(key ?? asText, value ?? asText)
}
