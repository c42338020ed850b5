import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ConnectProcessOptions {
  readonly directory: string
  readonly bootstrapServers: string
  readonly topic: string
  readonly sourceFile: string
  readonly sinkFile: string
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const KEPT_OUTPUT_BYTES = 8192

/**
 * A Connect standalone worker as its users run it: three properties files and the command line.
 * FileStreamSource reads the source file into the topic, FileStreamSink writes the topic to the sink file.
 */
export class ConnectProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #output = ''

  constructor(options: ConnectProcessOptions) {
    const files = writeProperties(options)
    this.#child = spawn(process.execPath, [MAIN, 'connect-standalone', ...files], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.#output = (this.#output + text.toString()).slice(-KEPT_OUTPUT_BYTES)
      })
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', () => {
        resolve()
      })
    })
  }

  /** The end of what the worker has printed. */
  get output(): string {
    return this.#output
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exited
  }
}

function writeProperties(options: ConnectProcessOptions): readonly string[] {
  const worker = {
    'bootstrap.servers': options.bootstrapServers,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'offset.storage.file.filename': join(options.directory, 'connect.offsets'),
    'offset.flush.interval.ms': '500',
  }
  const source = {
    name: 'file-source',
    'connector.class': 'FileStreamSource',
    'tasks.max': '1',
    file: options.sourceFile,
    topic: options.topic,
  }
  const sink = {
    name: 'file-sink',
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    'tasks.max': '1',
    file: options.sinkFile,
    topics: options.topic,
  }
  return [
    writeFile(options.directory, 'connect-standalone.properties', worker),
    writeFile(options.directory, 'connect-file-source.properties', source),
    writeFile(options.directory, 'connect-file-sink.properties', sink),
  ]
}

function writeFile(
  directory: string,
  name: string,
  properties: Readonly<Record<string, string>>,
): string {
  const path = join(directory, name)
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}
