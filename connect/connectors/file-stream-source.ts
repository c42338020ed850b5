import { open, type FileHandle } from 'node:fs/promises'
import { ConfigDef, type Config } from '../../src/base/config-def.ts'
import { messageOf } from '../../src/base/errors.ts'
import type {
  Properties,
  SourceConnectorPlugin,
  SourceRecord,
  SourceTask,
  SourceTaskContext,
} from '../api.ts'
import { STRING_SCHEMA } from '../data/schema.ts'
import { ConnectError } from '../errors.ts'
import { CONNECT_VERSION, setting } from '../plugin-facts.ts'
import { LineCutter } from './line-cutter.ts'
import { StandardInput } from './standard-input.ts'

const WAIT_MS = 1000
const CHUNK_BYTES = 65_536

/**
 * FileStreamSource of Apache Kafka: the lines of a growing text file, or of standard input. Two things differ.
 * `position` counts bytes, where Java counts characters but skips bytes, so a file that is not ASCII is resumed at
 * the right line. And lines that were read beyond `batch.size` come with the next poll, not when the file grows.
 */
export const fileStreamSourcePlugin: SourceConnectorPlugin = {
  kind: 'source',
  className: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  version: CONNECT_VERSION,
  config: new ConfigDef([
    setting('file', 'string', null, 'high'),
    setting('topic', 'string', undefined, 'high', 'non-empty string'),
    setting('batch.size', 'int', 2000, 'low'),
  ]),
  create: () => {
    let properties: Properties = {}
    return {
      start: (given) => {
        properties = given
      },
      // Always one: a file has no parts.
      taskConfigs: () => [properties],
      createTask: () => new FileStreamSourceTask(),
    }
  },
}

/** Where the bytes come from. */
interface ByteSource {
  /** The next bytes from `position` on; null when there are none yet. */
  read(position: number): Promise<Buffer | null>
  close(): Promise<void>
}

class FileStreamSourceTask implements SourceTask {
  #context: SourceTaskContext | null = null
  #file: string | null = null
  #topic = ''
  #batchSize = 0
  #source: ByteSource | null = null
  #cutter = new LineCutter(0)
  #partition: SourceRecord['sourcePartition'] = { filename: null }

  start(properties: Properties, context: SourceTaskContext): void {
    const config: Config = fileStreamSourcePlugin.config.parse(properties)
    const file = config.nullableString('file') ?? ''
    this.#context = context
    this.#file = file === '' ? null : file
    this.#partition = { filename: this.#file }
    this.#topic = config.string('topic')
    this.#batchSize = Math.max(1, config.int('batch.size'))
    if (this.#file === null) this.#source = new StandardInput(WAIT_MS, context.signal)
  }

  async poll(): Promise<readonly SourceRecord[] | null> {
    const context = this.#context
    if (context === null || !(await this.#isOpen(context))) return null
    const records: SourceRecord[] = []
    let hasRead = false
    while (records.length < this.#batchSize && !context.signal.aborted) {
      this.#take(records, context)
      if (records.length >= this.#batchSize) break
      const bytes = await this.#source?.read(this.#cutter.readPosition)
      if (bytes === null || bytes === undefined) break
      hasRead = true
      this.#cutter.add(bytes)
    }
    // Standard input has waited already.
    if (!hasRead && records.length === 0 && this.#file !== null) await context.sleep(WAIT_MS)
    return records.length === 0 ? null : records
  }

  async stop(): Promise<void> {
    await this.#source?.close()
    this.#source = null
  }

  #take(records: SourceRecord[], context: SourceTaskContext): void {
    const nowMs = context.nowMs()
    while (records.length < this.#batchSize) {
      const line = this.#cutter.next()
      if (line === null) return
      records.push({
        sourcePartition: this.#partition,
        sourceOffset: { position: this.#file === null ? null : this.#cutter.position },
        topic: this.#topic,
        kafkaPartition: null,
        keySchema: null,
        key: null,
        valueSchema: STRING_SCHEMA,
        value: line,
        timestampMs: nowMs,
        headers: [],
      })
    }
  }

  /** Opens the file at the stored position; a file that is not there is waited for. */
  async #isOpen(context: SourceTaskContext): Promise<boolean> {
    if (this.#source !== null || this.#file === null) return true
    try {
      this.#source = await FileBytes.open(this.#file)
    } catch (error) {
      context.warn(`couldn't open file ${this.#file}, waiting for it: ${messageOf(error)}`)
      await context.sleep(WAIT_MS)
      return false
    }
    this.#cutter = new LineCutter(positionOf(context.offset(this.#partition)))
    return true
  }
}

class FileBytes implements ByteSource {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async open(path: string): Promise<FileBytes> {
    const handle = await open(path, 'r')
    if (!(await handle.stat()).isDirectory()) return new FileBytes(handle)
    await handle.close()
    throw new ConnectError('it is a directory')
  }

  async read(position: number): Promise<Buffer | null> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, position)
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function positionOf(offset: ReturnType<SourceTaskContext['offset']>): number {
  const position = offset?.position ?? 0
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) {
    return position
  }
  throw new ConnectError(`Offset position is the incorrect type: ${String(position)}`)
}
