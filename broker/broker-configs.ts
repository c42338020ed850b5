import type { Config } from '../src/base/config-def.ts'
import { brokerConfigDef, parseBrokerConfig, type BrokerConfigSources } from './config.ts'
import { baseSettingOf, isClusterWide, isDynamic, lacksListener } from './dynamic-config-rules.ts'
import { ResourceType } from './metadata/configs-image.ts'
import type { MetadataDelta } from './metadata/delta.ts'
import type { MetadataImage } from './metadata/image.ts'

/** Pools that may at most double or halve in one step; here they are numbers without threads. */
const THREAD_POOLS: ReadonlySet<string> = new Set([
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
])
const CLEANER_THREADS = 'log.cleaner.threads'
const MIN_DEDUPE_BYTES_PER_THREAD = 1_048_576

/**
 * The settings of one broker: those of its properties, and over them what the metadata has for all brokers and for
 * this one (KIP-226). `live` is one object for the life of the node that always holds the values of now; a stored value
 * that cannot be used is passed over, since it may have been meant for another version.
 */
export class BrokerConfigs implements BrokerConfigSources {
  readonly live: Config
  readonly ofFile: Readonly<Record<string, string>>
  readonly #nodeId: string
  #ofBroker: ReadonlyMap<string, string> = new Map()
  #ofCluster: ReadonlyMap<string, string> = new Map()

  constructor(properties: Readonly<Record<string, string>>) {
    this.ofFile = properties
    this.live = parseBrokerConfig(properties)
    this.#nodeId = String(this.live.int('node.id'))
  }

  get ofBroker(): ReadonlyMap<string, string> {
    return this.#ofBroker
  }

  get ofCluster(): ReadonlyMap<string, string> {
    return this.#ofCluster
  }

  /** Takes up what has changed for this broker. True when there was anything. */
  apply(delta: MetadataDelta, image: MetadataImage): boolean {
    const isConcerned = delta.changedConfigs.some(
      ({ resourceType, resourceName }) =>
        resourceType === ResourceType.BROKER &&
        (resourceName === '' || resourceName === this.#nodeId),
    )
    if (!isConcerned) return false
    this.#ofBroker = image.configs.of(ResourceType.BROKER, this.#nodeId)
    this.#ofCluster = image.configs.of(ResourceType.BROKER, '')
    this.live.become(parseBrokerConfig(this.#merged()))
    return true
  }

  /**
   * Why these can not be all the dynamic settings of this broker (`isPerBroker`) or of all, in Kafka's words. Names that
   * no setting has are let through, for plugins.
   */
  problemWith(values: ReadonlyMap<string, string>, isPerBroker: boolean): string | null {
    const names = [...values.keys()]
    const listed = (found: readonly string[]): string => `[${found.join(', ')}]`
    const fixed = names.filter((name) => brokerConfigDef.keys.has(name) && !isDynamic(name))
    if (fixed.length > 0) return `Cannot update these configs dynamically: ${listed(fixed)}`
    const bare = names.filter(lacksListener)
    if (bare.length > 0) {
      return (
        'These security configs can be dynamically updated only per-listener using the listener ' +
        `prefix: ${listed(bare)}`
      )
    }
    for (const [name, value] of values) {
      const problem = problemWithValue(name, value)
      if (problem !== null) return problem
    }
    const confined = names.filter((name) => isDynamic(name) && !isClusterWide(name))
    if (!isPerBroker && confined.length > 0) {
      return (
        'Cannot update these configs at default cluster level, broker id must be specified: ' +
        listed(confined)
      )
    }
    return this.#problemTogether(values)
  }

  /** What depends on other settings, or on the value of now. */
  #problemTogether(values: ReadonlyMap<string, string>): string | null {
    const number = (name: string): number | null => {
      const text = values.get(name)
      return text === undefined ? null : Number(text)
    }
    if (number('log.retention.ms') === 0) {
      return 'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'
    }
    const rollMs = number('log.roll.ms')
    if (rollMs !== null && rollMs < 1) {
      return 'requirement failed: log.roll.ms must be greater than or equal to 1'
    }
    const threads = number(CLEANER_THREADS) ?? this.live.int(CLEANER_THREADS)
    const dedupeName = 'log.cleaner.dedupe.buffer.size'
    const dedupeBytes = number(dedupeName) ?? this.live.long(dedupeName)
    if (dedupeBytes / threads < MIN_DEDUPE_BYTES_PER_THREAD) {
      return `requirement failed: ${dedupeName} must be at least 1MB per cleaner thread.`
    }
    for (const name of [...THREAD_POOLS, CLEANER_THREADS]) {
      const wanted = number(name)
      const problem = wanted === null ? null : problemWithThreads(name, wanted, this.live.int(name))
      if (problem !== null) return problem
    }
    return null
  }

  #merged(): Readonly<Record<string, string>> {
    const merged: Record<string, string> = { ...this.ofFile }
    const put = ([name, value]: readonly [string, string]): void => {
      if (brokerConfigDef.keys.has(name) && problemWithValue(name, value) === null) {
        merged[name] = value
      }
    }
    for (const entry of this.#ofCluster) if (isClusterWide(entry[0])) put(entry)
    for (const entry of this.#ofBroker) if (isDynamic(entry[0])) put(entry)
    return merged
  }
}

function problemWithValue(name: string, value: string): string | null {
  const base = baseSettingOf(name)
  return brokerConfigDef.keys.has(base) ? brokerConfigDef.problemWith(base, value) : null
}

function problemWithThreads(name: string, wanted: number, current: number): string | null {
  const isCleaner = name === CLEANER_THREADS
  const invalid = (ofPool: string, ofCleaner: string): string => {
    const problem = isCleaner
      ? `Log cleaner threads cannot be ${ofCleaner} the current value ${current}`
      : `Dynamic thread count update validation failed for ${name}=${wanted}, value should ${ofPool} the current value ${current}`
    return `Invalid value org.apache.kafka.common.config.ConfigException: ${problem} for configuration Invalid dynamic configuration`
  }
  if (wanted < Math.floor(current / 2)) return invalid('be at least half', 'reduced below half')
  if (wanted > current * 2) {
    return invalid('not be greater than double', 'increased to more than double')
  }
  return null
}
