import { open, type FileHandle } from 'node:fs/promises'
import { EOL } from 'node:os'
import { ConfigDef } from '../../src/base/config-def.ts'
import { messageOf } from '../../src/base/errors.ts'
import type { Properties, SinkConnectorPlugin, SinkRecord, SinkTask } from '../api.ts'
import { javaText } from '../data/java-text.ts'
import { ConnectError } from '../errors.ts'
import { CONNECT_VERSION, setting } from '../plugin-facts.ts'

/** Characters that are written at once. */
const CHUNK_CHARS = 1_048_576

/**
 * FileStreamSink of Apache Kafka: appends the text of each value and a line end to a file, or to standard output.
 * All tasks write to the same file.
 */
export const fileStreamSinkPlugin: SinkConnectorPlugin = {
  kind: 'sink',
  className: 'org.apache.kafka.connect.file.FileStreamSinkConnector',
  version: CONNECT_VERSION,
  config: new ConfigDef([setting('file', 'string', null, 'high')]),
  create: () => {
    let properties: Properties = {}
    return {
      start: (given) => {
        properties = given
      },
      taskConfigs: (maxTasks) => Array.from({ length: maxTasks }, () => properties),
      createTask: () => new FileStreamSinkTask(),
    }
  },
}

class FileStreamSinkTask implements SinkTask {
  /** Null: standard output. */
  #handle: FileHandle | null = null
  #path = 'standard output'
  /** Whether something was written since the last flush. */
  #isDirty = false

  async start(properties: Properties): Promise<void> {
    const file = fileStreamSinkPlugin.config.parse(properties).nullableString('file') ?? ''
    if (file === '') return
    this.#path = file
    try {
      this.#handle = await open(file, 'a')
    } catch (error) {
      throw new ConnectError(`Couldn't find or create file '${file}': ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    let text = ''
    for (const { value, valueSchema } of records) {
      text += `${javaText(value, valueSchema)}${EOL}`
      if (text.length < CHUNK_CHARS) continue
      await this.#write(text)
      text = ''
    }
    if (text !== '') await this.#write(text)
  }

  /** Durable before the offsets are committed; files that cannot be synced, such as pipes, are left alone. */
  async flush(): Promise<void> {
    if (!this.#isDirty || this.#handle === null) return
    this.#isDirty = false
    try {
      await this.#handle.datasync()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EROFS') throw error
    }
  }

  async stop(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async #write(text: string): Promise<void> {
    this.#isDirty = true
    try {
      if (this.#handle !== null) await this.#handle.appendFile(text, 'utf8')
      else await writeOut(text)
    } catch (error) {
      throw new ConnectError(`Couldn't write to ${this.#path}: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
