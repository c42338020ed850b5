import { pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Admin, ScramUpsertion } from '../../client/index.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { executionMessage, named, ToolError } from '../tool-errors.ts'

const DEFAULT_ITERATIONS = 4096
const MIN_ITERATIONS = 4096
const SALT_BYTES = 20

interface Mechanism {
  readonly code: number
  readonly digest: string
  readonly bytes: number
}

const MECHANISMS: ReadonlyMap<string, Mechanism> = new Map([
  ['SCRAM-SHA-256', { code: 1, digest: 'sha256', bytes: 32 }],
  ['SCRAM-SHA-512', { code: 2, digest: 'sha512', bytes: 64 }],
])

export function isScram(name: string): boolean {
  return MECHANISMS.has(name)
}

/** `[iterations=8192,]password=secret` as what the cluster stores (RFC 5802). Throws `ToolError`. */
export function scramUpsertion(name: string, text: string): ScramUpsertion {
  const { code, digest, bytes } = mechanismOf(name)
  const [whole, given, password = ''] =
    /^(?:iterations=(-?[0-9]*),)?password=(.*)$/.exec(text) ?? []
  if (whole === undefined) {
    throw new ToolError(`Invalid credential property ${name.replaceAll('-', '_')}=${text}`)
  }
  const isDefault = given === undefined || given === '-1'
  const iterations = isDefault ? DEFAULT_ITERATIONS : Number(given)
  if (iterations < MIN_ITERATIONS) {
    throw new ToolError(
      `Iterations ${iterations} is less than the minimum ${MIN_ITERATIONS} required for ${name}`,
    )
  }
  const salt = randomBytes(SALT_BYTES)
  const saltedPassword = pbkdf2Sync(password, salt, iterations, bytes, digest)
  return { mechanism: code, iterations, salt, saltedPassword }
}

export async function alterScram(
  admin: Admin,
  user: string,
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Promise<void> {
  const upsertions = [...added].map(([name, text]) => scramUpsertion(name, text))
  const deletions = deleted.map((name) => mechanismOf(name).code)
  await named('alterUserScramCredentials', admin.quotas.alterScram(user, upsertions, deletions))
}

/** Shows which credentials users have; of all when there are none. */
export async function describeScram(
  admin: Admin,
  users: readonly string[],
  io: ToolIo,
): Promise<void> {
  const described = await named('describeUserScramCredentials', admin.quotas.describeScram(users))
  for (const { user, error, credentials } of described) {
    if (error !== null) {
      io.out(
        `Error retrieving SCRAM credential configs for user-principal '${user}': ${executionMessage(error)}`,
      )
      continue
    }
    const texts = credentials.map(
      ({ mechanism, iterations }) => `${mechanismName(mechanism)}=iterations=${iterations}`,
    )
    io.out(`SCRAM credential configs for user-principal '${user}' are ${texts.join(', ')}`)
  }
}

function mechanismOf(name: string): Mechanism {
  const found = MECHANISMS.get(name)
  if (found === undefined) throw new ToolError(`Invalid SCRAM mechanism ${name}`)
  return found
}

function mechanismName(code: number): string {
  return [...MECHANISMS].find(([, mechanism]) => mechanism.code === code)?.[0] ?? 'UNKNOWN'
}
