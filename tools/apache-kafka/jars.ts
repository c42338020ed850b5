import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafketteError } from '../../src/base/errors.ts'
import { findMaven } from './requirements.ts'

const POM = fileURLToPath(new URL('pom.xml', import.meta.url))
const KEPT_OUTPUT_BYTES = 2000

/** The version in the pom: the only place that names it. */
export function kafkaVersion(): string {
  const [, version] =
    /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, 'utf8')) ??
    []
  if (version === undefined) throw new KafketteError('POM', `${POM} names no version of kafka_2.13`)
  return version
}

/**
 * The directory with the jars of Apache Kafka; Maven fetches them once. `onFetch` is called before that, since it takes
 * a while. Throws `MissingRequirementError` without Maven, `KafketteError` when Maven fails.
 */
export async function jarsDirectory(
  env: NodeJS.ProcessEnv,
  onFetch: (directory: string) => void,
): Promise<string> {
  // Another pom means other jars: what an older one had fetched stays where it is.
  const pom = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 8)
  const directory = join(cacheDirectory(env), `apache-kafka-${kafkaVersion()}-${pom}`)
  if (existsSync(directory)) return directory
  const maven = findMaven(env)
  onFetch(directory)
  // Under another name until it is complete: a fetch that is broken off leaves nothing that looks whole.
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    await run(
      maven,
      [
        '--batch-mode',
        '--quiet',
        '--file',
        POM,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${unfinished}`,
      ],
      env,
    )
    if (!existsSync(directory)) renameSync(unfinished, directory)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return directory
}

function cacheDirectory(env: NodeJS.ProcessEnv): string {
  const given = env['XDG_CACHE_HOME'] ?? ''
  if (given !== '') return join(given, 'kafkette')
  const home = homedir()
  return home === '' ? join(tmpdir(), 'kafkette') : join(home, '.cache', 'kafkette')
}

function run(
  program: string,
  parameters: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...parameters], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output = (output + text.toString()).slice(-KEPT_OUTPUT_BYTES)
      })
    }
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else
        reject(new KafketteError('MAVEN', `Maven could not fetch Apache Kafka: ${output.trim()}`))
    })
  })
}
