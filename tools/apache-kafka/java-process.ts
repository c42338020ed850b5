import { spawn, type ChildProcess } from 'node:child_process'

const KEPT_OUTPUT_BYTES = 4000
/** Three brokers beside each other on a small machine; quick to start rather than quick at work. */
const JVM_FLAGS = [
  '-Xms64m',
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
]

export interface JavaProgram {
  readonly java: string
  /** Directory of the jars. */
  readonly jars: string
  readonly mainClass: string
  readonly parameters: readonly string[]
  readonly directory: string
}

/** One run of a Java program in a process group of its own: a Ctrl-C in the terminal is the harness's to answer. */
export class JavaProcess {
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  #output = ''

  constructor({ java, jars, mainClass, parameters, directory }: JavaProgram) {
    this.#child = spawn(java, [...JVM_FLAGS, '-cp', `${jars}/*`, mainClass, ...parameters], {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.#output = (this.#output + text.toString()).slice(-KEPT_OUTPUT_BYTES)
      })
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += error.message
        resolve()
      })
      this.#child.once('close', () => {
        resolve()
      })
    })
  }

  /** The end of what it has printed. */
  get output(): string {
    return this.#output.trim()
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#child
    return pid !== undefined && exitCode === null && signalCode === null
  }

  /** 0 when it went well. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name)
  }
}
