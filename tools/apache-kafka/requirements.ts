import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { KafketteError } from '../../src/base/errors.ts'

const OLDEST_JAVA = 17

/** Apache Kafka cannot be started here; the message is one line that says what is missing and how to get it. */
export class MissingRequirementError extends KafketteError {
  constructor(message: string) {
    super('MISSING_REQUIREMENT', message)
  }
}

/** The `java` to run: of JAVA_HOME when that is set, else of the path. Throws `MissingRequirementError`. */
export function findJava(env: NodeJS.ProcessEnv): string {
  const home = env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin', 'java')
  const text = outputOf(java, ['-version'], env)
  if (text === null) {
    throw new MissingRequirementError(
      `Java ${OLDEST_JAVA} or newer is missing: install a JRE (for example openjdk-${OLDEST_JAVA}-jre-headless) ` +
        'or set JAVA_HOME, or give a running cluster by --bootstrap-server HOST:PORT',
    )
  }
  const [, major] = /version "(\d+)/.exec(text) ?? []
  if (Number(major) >= OLDEST_JAVA) return java
  throw new MissingRequirementError(
    `Apache Kafka needs Java ${OLDEST_JAVA} or newer, ${java} is ${major ?? 'of an unknown version'}: ` +
      `install one and set JAVA_HOME`,
  )
}

/** Throws `MissingRequirementError` when there is no `mvn` on the path. */
export function findMaven(env: NodeJS.ProcessEnv): string {
  if (outputOf('mvn', ['-v'], env) !== null) return 'mvn'
  throw new MissingRequirementError(
    'Maven is missing: install it (for example the package maven) so that the jars of Apache Kafka can be fetched once, ' +
      'or give a running cluster by --bootstrap-server HOST:PORT',
  )
}

/** Both output streams; null when the program cannot be run. */
function outputOf(
  program: string,
  parameters: readonly string[],
  env: NodeJS.ProcessEnv,
): string | null {
  const { error, status, stdout, stderr } = spawnSync(program, [...parameters], {
    env,
    encoding: 'utf8',
  })
  return error === undefined && status === 0 ? `${stdout}${stderr}` : null
}
