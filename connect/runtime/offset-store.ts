import type { SourceMap } from '../api.ts'
import { jsonText } from '../converters/json-text.ts'

/** How far one part of a source was copied; a null offset forgets it. */
export interface SourceOffset {
  readonly connector: string
  readonly partition: SourceMap
  readonly offset: SourceMap | null
}

/** Where source offsets are kept between two lives of a worker. */
export interface OffsetStore {
  /** Reads what was stored. Throws `ConnectError` when it cannot be used. */
  open(): Promise<void>
  read(connector: string, partition: SourceMap): SourceMap | null
  /** Resolves when the offsets are durable. */
  write(offsets: readonly SourceOffset[]): Promise<void>
  close(): Promise<void>
}

/** The identity of a part of a source, as in the key of Kafka's offsets topic: `["connector",{...}]`. */
export function sourceKey(connector: string, partition: SourceMap): string {
  return jsonText([connector, partition])
}
