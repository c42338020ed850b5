import { randomInt } from 'node:crypto'
import type { Properties } from '../../client/index.ts'
import type { ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { ToolError, UsageError } from '../tool-errors.ts'
import { parseEntries, settingsOfFile, withoutJavaOnly, withOldName } from './client-settings.ts'
import { DEFAULT_FORMATTER } from './consumer-flags.ts'
import { formatterOf, type MessageFormatter } from './message-formatter.ts'

const GROUPS = 100_000

export type StartAt = 'earliest' | 'latest' | number

/** What one run of the tool is to do. */
export interface ConsumerPlan {
  readonly bootstrapServers: string
  readonly properties: Properties
  readonly from:
    | { readonly kind: 'topic'; readonly topic: string }
    | { readonly kind: 'include'; readonly pattern: RegExp }
    | {
        readonly kind: 'partition'
        readonly topic: string
        readonly partition: number
        readonly startAt: StartAt
      }
  /** Infinity: without end. */
  readonly maxMessages: number
  readonly timeoutMs: number
  readonly skipsErrors: boolean
  readonly tellsShutdown: boolean
  readonly formatter: MessageFormatter
}

/** Throws `UsageError`, `OptionError` and `ToolError` with Kafka's words. */
export function consumerPlan(options: ParsedOptions, io: ToolIo): ConsumerPlan {
  checkTogether(options)
  const old = (old: string, now: string): readonly string[] =>
    withOldName(options, { old, now }, deprecated, io)
  const formatterEntries = old('property', 'formatter-property')
  const entries = parseEntries(old('consumer-property', 'command-property'))
  const fromFile = settingsOfFile(old('consumer.config', 'command-config'))
  const group = groupOf(options, [fromFile, entries])
  const maxMessages = options.number('max-messages') ?? -1
  const timeoutMs = options.number('timeout-ms') ?? -1
  return {
    bootstrapServers: options.value('bootstrap-server') ?? '',
    properties: consumerProperties(options, { ...fromFile, ...entries }, group),
    from: source(options),
    maxMessages: maxMessages === -1 ? Infinity : maxMessages,
    timeoutMs: timeoutMs >= 0 ? timeoutMs : Infinity,
    skipsErrors: options.has('skip-message-on-error'),
    tellsShutdown: options.has('enable-systest-events'),
    formatter: formatter(options, formatterEntries, io),
  }
}

function checkTogether(options: ParsedOptions): void {
  if (options.has('topic') === options.has('include')) {
    throw new UsageError('Exactly one of the following arguments is required: [topic], [include]')
  }
  if (options.has('partition')) {
    if (!options.has('topic')) {
      throw new UsageError('The topic is required when partition is specified.')
    }
    if (options.has('from-beginning') && options.has('offset')) {
      throw new UsageError('Options from-beginning and offset cannot be specified together.')
    }
  } else if (options.has('offset')) {
    throw new UsageError('The partition is required when offset is specified.')
  }
  requireOptions(options, ['bootstrap-server'])
}

function source(options: ParsedOptions): ConsumerPlan['from'] {
  const include = options.value('include')
  if (include !== null) return { kind: 'include', pattern: patternOf(include) }
  const topic = options.value('topic') ?? ''
  const partition = options.number('partition')
  if (partition === null) return { kind: 'topic', topic }
  return { kind: 'partition', topic, partition, startAt: startOf(options) }
}

/** Java matches whole names. */
function patternOf(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`)
  } catch (error) {
    throw new ToolError(`--include: ${(error as Error).message}`)
  }
}

function startOf(options: ParsedOptions): StartAt {
  if (!options.has('offset')) return options.has('from-beginning') ? 'earliest' : 'latest'
  const text = options.value('offset') ?? ''
  const named = text.toLowerCase()
  if (named === 'earliest' || named === 'latest') return named
  const offset = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(offset)) return offset
  throw new UsageError(
    `The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`,
  )
}

/** The group that is named in one place, or in several with the same name; null for none. */
function groupOf(options: ParsedOptions, given: readonly Properties[]): string | null {
  const named = [options.value('group'), ...given.map((each) => each['group.id'] ?? null)]
  const groups = [...new Set(named.filter((group) => group !== null))]
  if (groups.length > 1) {
    throw new UsageError(
      "The group ids provided in different places (directly using '--group', via '--command-property', or via " +
        `'--command-config') do not match. Detected group ids: ${groups.map((group) => `'${group}'`).join(', ')}`,
    )
  }
  if (groups.length > 0 && options.has('partition')) {
    throw new UsageError('Options group and partition cannot be specified together.')
  }
  return groups[0] ?? null
}

function consumerProperties(
  options: ParsedOptions,
  given: Properties,
  group: string | null,
): Properties {
  const isFromBeginning = options.has('from-beginning')
  const reset = given['auto.offset.reset']
  if (isFromBeginning && reset !== undefined && reset !== 'earliest') {
    throw new ToolError(
      `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${reset}', please remove one option`,
    )
  }
  const isolation = options.value('isolation-level') ?? ''
  const isIsolationGiven = options.has('isolation-level')
  return {
    'client.id': 'console-consumer',
    'isolation.level': isolation,
    'auto.offset.reset': isFromBeginning ? 'earliest' : 'latest',
    // A group that is made up for one run is not to be kept by the coordinator.
    ...(group === null ? { 'enable.auto.commit': 'false' } : {}),
    ...withoutJavaOnly(given),
    ...(isIsolationGiven ? { 'isolation.level': isolation } : {}),
    'group.id': group ?? `console-consumer-${randomInt(GROUPS)}`,
  }
}

function formatter(
  options: ParsedOptions,
  entries: readonly string[],
  io: ToolIo,
): MessageFormatter {
  const className = options.value('formatter') ?? DEFAULT_FORMATTER
  const key = options.value('key-deserializer') ?? ''
  const value = options.value('value-deserializer') ?? ''
  const properties = {
    ...settingsOfFile(options.values('formatter-config')),
    ...(key === '' ? {} : { 'key.deserializer': key }),
    ...(value === '' ? {} : { 'value.deserializer': value }),
    ...parseEntries(entries),
  }
  const found = formatterOf(className, properties, io.err)
  if (found === null) throw new UsageError(className)
  return found
}

function deprecated(old: string, now: string): string {
  return `Option --${old} is deprecated and will be removed in a future version. Use --${now} instead.`
}
