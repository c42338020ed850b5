import type { Properties } from '../../client/index.ts'
import { readProperties } from '../command-config.ts'
import type { ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { ToolError, UsageError } from '../tool-errors.ts'

/** Settings of Java's clients that say nothing to ours; both tools work with bytes. */
const JAVA_ONLY = new Set([
  'key.serializer',
  'value.serializer',
  'key.deserializer',
  'value.deserializer',
  'enable.metrics.push',
])

/** `key=value` entries; one without a value has an empty one. Later ones count. */
export function parseEntries(entries: readonly string[]): Properties {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

/** The value of an option and that of its old name, which is told to be old. Throws `UsageError` for both at once. */
export function withOldName(
  options: ParsedOptions,
  names: { readonly old: string; readonly now: string },
  notice: (old: string, now: string) => string,
  io: ToolIo,
): readonly string[] {
  const { old, now } = names
  if (!options.has(old)) return options.values(now)
  if (options.has(now)) {
    throw new UsageError(`Options --${old} and --${now} cannot be specified together.`)
  }
  io.out(notice(old, now))
  return options.values(old)
}

/** A file of settings, or none. */
export function settingsOfFile(paths: readonly string[]): Properties {
  const path = paths.at(-1)
  return path === undefined ? {} : readProperties(path)
}

/** Settings for our client of those that were given for Java's. */
export function withoutJavaOnly(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !JAVA_ONLY.has(name)))
}

/** Tells settings that no client knows. */
export function tellUnknown(
  names: readonly { readonly name: string; readonly nearest: string | null }[],
  io: ToolIo,
): void {
  for (const { name, nearest } of names) {
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`
    io.err(`warning: the client knows no setting "${name}"${hint}`)
  }
}

/** Throws `ToolError` in the words of Kafka's tools. */
export function checkBootstrap(servers: string | null): string {
  if (servers === null || servers === '') {
    throw new UsageError('Error while validating the bootstrap address\n')
  }
  const isValid = servers
    .split(',')
    .every((server) =>
      /^(?:[A-Za-z_]+:\/\/)?(?:\[[^\]]+\]|[^:[\]\s]+):\d{1,5}$/.test(server.trim()),
    )
  if (!isValid) throw new ToolError('Please provide valid host:port like host1:9091,host2:9092\n')
  return servers
}
