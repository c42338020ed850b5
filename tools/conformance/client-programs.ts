import { execFile, spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { STEPS } from './clients/steps.ts'

const TIMEOUT_MS = 180_000
const CONFLUENT_VERSION = '2.16.1'

/** What each client needs to be run, or the line that says what is missing and how to get it. */
export type ClientCommand =
  | { readonly program: string; readonly parameters: readonly string[]; readonly directory: string }
  | { readonly missing: string }

export interface ClientProgram {
  readonly name: string
  /** Library and version, as far as it is fixed here. */
  readonly about: string
  command(setting: ClientSetting): ClientCommand
}

export interface ClientSetting {
  readonly bootstrapServers: string
  /** Null when Java or the jars of Apache Kafka are missing; then `missingJava` says so. */
  readonly java: { readonly java: string; readonly jars: string } | null
  readonly missingJava: string
}

export interface ClientResult {
  readonly name: string
  readonly about: string
  readonly state: 'ok' | 'failed' | 'skipped'
  readonly stepsPassed: number
  /** What failed, or what is missing. */
  readonly reason: string
}

export const CLIENT_PROGRAMS: readonly ClientProgram[] = [
  { name: 'kafkajs', about: 'kafkajs', command: (setting) => ours('kafkajs/main.ts', setting) },
  {
    name: 'platformatic',
    about: '@platformatic/kafka',
    command: (setting) => ours('platformatic/main.ts', setting),
  },
  {
    name: 'confluent-python',
    about: `librdkafka by confluent-kafka ${CONFLUENT_VERSION}`,
    command: ({ bootstrapServers }) => {
      const file = pathOf('confluent-python/main.py')
      const isThere = canRun('python3', ['-c', 'import confluent_kafka'])
      if (isThere)
        return {
          program: 'python3',
          parameters: [file, bootstrapServers],
          directory: dirname(file),
        }
      return {
        missing: `python3 with confluent-kafka is missing: pip install confluent-kafka==${CONFLUENT_VERSION}`,
      }
    },
  },
  {
    name: 'kcat',
    about: 'librdkafka by kcat',
    command: ({ bootstrapServers }) => {
      const file = pathOf('kcat/main.sh')
      const isThere = canRun('kcat', ['-V']) || canRun('kafkacat', ['-V'])
      if (isThere)
        return { program: file, parameters: [bootstrapServers], directory: dirname(file) }
      return { missing: 'kcat is missing: install the package kcat (kafkacat in older systems)' }
    },
  },
  {
    name: 'java',
    about: 'kafka-clients, as Apache Kafka has it',
    command: ({ bootstrapServers, java, missingJava }) => {
      if (java === null) return { missing: missingJava }
      const file = pathOf('java/Main.java')
      const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=off']
      const parameters = [...flags, '-cp', `${java.jars}/*`, file, bootstrapServers]
      return { program: java.java, parameters, directory: dirname(file) }
    },
  },
  {
    name: 'franz-go',
    about: 'franz-go, as its go.mod says',
    command: ({ bootstrapServers }) => {
      const directory = dirname(pathOf('franz-go/main.go'))
      if (!canRun('go', ['version'])) return { missing: 'Go is missing: install it from go.dev/dl' }
      return { program: 'go', parameters: ['run', '.', bootstrapServers], directory }
    },
  },
]

/** Runs one client through all steps. Never rejects: what goes wrong is its result. */
export function runClient(client: ClientProgram, setting: ClientSetting): Promise<ClientResult> {
  const { name, about } = client
  const command = client.command(setting)
  if ('missing' in command) {
    return Promise.resolve({
      name,
      about,
      state: 'skipped',
      stepsPassed: 0,
      reason: command.missing,
    })
  }
  const { program, parameters, directory } = command
  return new Promise((resolve) => {
    const options = { cwd: directory, timeout: TIMEOUT_MS, encoding: 'utf8' } as const
    execFile(program, [...parameters], options, (error, stdout, stderr) => {
      const lines = stdout.split('\n')
      const stepsPassed = STEPS.filter((step) => lines.includes(`${step} ok`)).length
      const isWhole = error === null && stepsPassed === STEPS.length
      const failure =
        lines.find((line) => line.includes(' failed: ')) ??
        (stderr.trim().split('\n').at(-1) || (error?.message ?? 'it ended before its last step'))
      resolve({
        name,
        about,
        state: isWhole ? 'ok' : 'failed',
        stepsPassed,
        reason: isWhole ? '' : failure,
      })
    })
  })
}

function ours(file: string, { bootstrapServers }: ClientSetting): ClientCommand {
  const path = pathOf(file)
  return {
    program: process.execPath,
    parameters: ['--disable-warning=TimeoutNegativeWarning', path, bootstrapServers],
    directory: dirname(path),
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`clients/${file}`, import.meta.url))
}

function canRun(program: string, parameters: readonly string[]): boolean {
  return spawnSync(program, [...parameters], { stdio: 'ignore' }).status === 0
}
