import type { ConfigRecord } from '../../src/wire/records/metadata.ts'

/** Kafka's codes of the resources that configs belong to. */
export const ResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/** One resource that has configs of its own. A broker named '' stands for all brokers. */
export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
}

const NONE: ReadonlyMap<string, string> = new Map()

/** The dynamic configs of all resources. */
export class ConfigsImage {
  readonly #resources = new Map<string, Map<string, string>>()

  /** The overrides of one resource; empty when it has none. Immutable: a change makes a new map. */
  of(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#resources.get(keyOf(resourceType, resourceName)) ?? NONE
  }

  /** Every resource that has overrides, in the order in which it got its first. */
  *resources(): Iterable<ConfigResource> {
    for (const key of this.#resources.keys()) {
      const cut = key.indexOf(':')
      yield { resourceType: Number(key.slice(0, cut)), resourceName: key.slice(cut + 1) }
    }
  }

  clone(): ConfigsImage {
    const copy = new ConfigsImage()
    for (const [key, values] of this.#resources) copy.#resources.set(key, values)
    return copy
  }

  /** A null value removes the override. */
  apply(record: ConfigRecord): void {
    const values = new Map(this.of(record.resourceType, record.resourceName))
    if (record.value === null) values.delete(record.name)
    else values.set(record.name, record.value)
    if (values.size === 0) this.remove(record.resourceType, record.resourceName)
    else this.#resources.set(keyOf(record.resourceType, record.resourceName), values)
  }

  remove(resourceType: number, resourceName: string): void {
    this.#resources.delete(keyOf(resourceType, resourceName))
  }
}

function keyOf(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}
