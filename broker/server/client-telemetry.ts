import type { Config } from '../../src/base/config-def.ts'
import { randomUuid, ZERO_UUID, type Uuid } from '../../src/base/uuid.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { ResourceType, type ConfigsImage } from '../metadata/configs-image.ts'

/** What of a client decides which subscriptions are for it. */
export interface TelemetryClient {
  readonly clientId: string
  readonly host: string
  readonly port: number
}

export interface TelemetrySubscription {
  readonly clientInstanceId: Uuid
  /** Changes with the metrics and the interval, so that a client notices. */
  readonly subscriptionId: number
  readonly pushIntervalMs: number
  /** Prefixes of the names of metrics; `*` for all; empty when nothing is wanted. */
  readonly metrics: readonly string[]
}

export interface TelemetryPush {
  readonly clientInstanceId: Uuid
  readonly subscriptionId: number
  readonly isTerminating: boolean
  readonly compressionType: number
  readonly metrics: Buffer
}

export interface ClientTelemetryOptions {
  readonly config: Config
  readonly configs: () => ConfigsImage
  readonly random: Random
  readonly events: EventSink
}

const DEFAULT_INTERVAL_MS = 300_000
const ALL = '*'
/** none, gzip, snappy, lz4, zstd. */
const COMPRESSION_TYPES: ReadonlySet<number> = new Set([0, 1, 2, 3, 4])
/** Clients that said goodbye and are remembered for it. */
const MAX_TERMINATED = 1000

/**
 * What clients are asked to tell of themselves (KIP-714): the subscriptions are the client metrics resources of the
 * metadata. Nothing consumes the metrics here: a push is checked and told as an event.
 */
export class ClientTelemetry {
  readonly #options: ClientTelemetryOptions
  readonly #terminated = new Set<Uuid>()

  constructor(options: ClientTelemetryOptions) {
    this.#options = options
  }

  /** A client without an id gets one. */
  subscriptionFor(clientInstanceId: Uuid, client: TelemetryClient): TelemetrySubscription {
    const { random } = this.#options
    const id =
      clientInstanceId === ZERO_UUID ? randomUuid((count) => random.bytes(count)) : clientInstanceId
    const { metrics, pushIntervalMs } = this.#wanted(id, client)
    const text = JSON.stringify([id, pushIntervalMs, metrics])
    // A signed number of 32 bits, as the protocol has it.
    const subscriptionId = crc32c(Buffer.from(text)) | 0
    return { clientInstanceId: id, subscriptionId, pushIntervalMs, metrics }
  }

  push(push: TelemetryPush, client: TelemetryClient): ErrorCode {
    const { clientInstanceId } = push
    if (clientInstanceId === ZERO_UUID || this.#terminated.has(clientInstanceId)) {
      return ErrorCode.INVALID_REQUEST
    }
    const { subscriptionId } = this.subscriptionFor(clientInstanceId, client)
    if (push.subscriptionId !== subscriptionId) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID
    if (!COMPRESSION_TYPES.has(push.compressionType)) {
      return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    }
    if (push.metrics.length > this.#options.config.int('telemetry.max.bytes')) {
      return ErrorCode.TELEMETRY_TOO_LARGE
    }
    if (push.isTerminating) this.#noteTerminated(clientInstanceId)
    this.#options.events.emit('telemetry.received', {
      client: client.clientId,
      clientInstanceId,
      bytes: push.metrics.length,
    })
    return ErrorCode.NONE
  }

  #wanted(
    id: Uuid,
    client: TelemetryClient,
  ): { readonly metrics: readonly string[]; readonly pushIntervalMs: number } {
    const configs = this.#options.configs()
    const metrics = new Set<string>()
    let pushIntervalMs = Infinity
    for (const { resourceType, resourceName } of configs.resources()) {
      if (resourceType !== ResourceType.CLIENT_METRICS) continue
      const own = configs.of(resourceType, resourceName)
      if (!isFor(own.get('match') ?? '', id, client)) continue
      for (const name of listed(own.get('metrics') ?? '')) metrics.add(name)
      const intervalMs = Number(own.get('interval.ms') ?? DEFAULT_INTERVAL_MS)
      pushIntervalMs = Math.min(pushIntervalMs, intervalMs)
    }
    return {
      metrics: metrics.has(ALL) ? [ALL] : [...metrics].sort(),
      pushIntervalMs: pushIntervalMs === Infinity ? DEFAULT_INTERVAL_MS : pushIntervalMs,
    }
  }

  #noteTerminated(id: Uuid): void {
    const [oldest] = this.#terminated
    if (this.#terminated.size >= MAX_TERMINATED && oldest !== undefined) {
      this.#terminated.delete(oldest)
    }
    this.#terminated.add(id)
  }
}

/** Every pattern must match the whole of its part of the client. */
function isFor(match: string, id: Uuid, client: TelemetryClient): boolean {
  const parts: ReadonlyMap<string, string> = new Map([
    ['client_instance_id', id],
    ['client_id', client.clientId],
    ['client_source_address', client.host],
    ['client_source_port', String(client.port)],
  ])
  return listed(match).every((pattern) => {
    const at = pattern.indexOf('=')
    const part = parts.get(pattern.slice(0, at).trim())
    return part !== undefined && isWhole(pattern.slice(at + 1).trim(), part)
  })
}

/** An expression that another Kafka took, and that cannot be read here, is for nobody. */
function isWhole(expression: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${expression})$`, 'u').test(text)
  } catch {
    return false
  }
}

function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}
