import { ConfigError } from '../../src/base/errors.ts'
import { didYouMean } from '../../src/base/nearest-name.ts'
import type { Plugin } from '../api.ts'

type Kind = Plugin['kind']

/** What the user wrote the name for, in messages. */
const NOUNS: Readonly<Record<string, string>> = {
  source: 'connector',
  sink: 'connector',
  converter: 'converter',
  'header-converter': 'header converter',
  transform: 'transform',
}
/** Ends that Kafka lets a name leave out (its plugin aliases). */
const SUFFIXES: Readonly<Record<Kind, readonly string[]>> = {
  source: ['Connector'],
  sink: ['Connector'],
  converter: ['Converter'],
  'header-converter': ['HeaderConverter', 'Converter'],
  transform: ['Transformation'],
}

/** The connectors, converters and transforms of a worker, by their Java names, in full or short. */
export class Plugins {
  readonly #plugins: readonly Plugin[]

  /** A later plugin stands before an earlier one of the same name. */
  constructor(plugins: readonly Plugin[]) {
    this.#plugins = plugins.toReversed()
  }

  /**
   * The plugin of one of these kinds that `name` names: `org.apache.kafka.connect.file.FileStreamSourceConnector`,
   * `FileStreamSourceConnector` or `FileStreamSource`. Throws `ConfigError` with those that there are.
   */
  find<K extends Kind>(
    kinds: readonly K[],
    name: string,
    settingName: string,
  ): Extract<Plugin, { kind: K }> {
    const ofKind = this.#ofKinds(kinds)
    const found = ofKind.find((plugin) => namesOf(plugin).includes(name))
    if (found !== undefined) return found
    const noun = NOUNS[kinds[0] ?? ''] ?? 'plugin'
    if (ofKind.length === 0) {
      throw new ConfigError(`${settingName} is "${name}", but this version has no ${noun}s yet`)
    }
    const shorts = ofKind.map((plugin) => simpleName(plugin.className)).sort()
    const near = didYouMean(name, ofKind.flatMap(namesOf))
    throw new ConfigError(
      `${settingName} is "${name}": there is no such ${noun}${near}; available: ${shorts.join(', ')}`,
    )
  }

  #ofKinds<K extends Kind>(kinds: readonly K[]): readonly Extract<Plugin, { kind: K }>[] {
    const isWanted = (plugin: Plugin): plugin is Extract<Plugin, { kind: K }> =>
      (kinds as readonly string[]).includes(plugin.kind)
    return this.#plugins.filter(isWanted)
  }
}

function namesOf(plugin: Plugin): readonly string[] {
  const simple = simpleName(plugin.className)
  const aliases = SUFFIXES[plugin.kind]
    .filter((suffix) => simple.endsWith(suffix) && simple !== suffix)
    .map((suffix) => simple.slice(0, -suffix.length))
  return [plugin.className, simple, ...aliases]
}

function simpleName(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1)
}
