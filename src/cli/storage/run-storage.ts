import { KafketteError, messageOf } from '../../base/errors.ts'
import { randomUuid } from '../../base/uuid.ts'
import { NodeRandom } from '../../real/node-random.ts'
import { readPropertiesFile } from '../../real/properties-file.ts'

/** Kafka's storage tool ends with 1 whatever is wrong. */
const FAILED = 1

export interface FormatFlags {
  readonly config: string
  readonly clusterId: string
  readonly ignoreFormatted?: boolean
  readonly releaseVersion?: string
  readonly feature?: readonly string[]
  readonly addScram?: readonly string[]
  readonly standalone?: boolean
  /** The voters, or false for --no-initial-controllers. */
  readonly initialControllers?: string | boolean
}

/** `storage random-uuid`. */
export function runRandomUuid(): void {
  const random = new NodeRandom()
  process.stdout.write(`${randomUuid((count) => random.bytes(count))}\n`)
}

/** `storage info`: the directories, what they are formatted for, and what is wrong with them. */
export async function runInfo(file: string): Promise<void> {
  await explained(async () => {
    const { storageReport } = await import('./storage-report.ts')
    const { parseServerProperties } = await import('../../fixture/server-node.ts')
    const { lines, isSound } = storageReport(parseServerProperties(readPropertiesFile(file)))
    process.stdout.write(`${lines.join('\n')}\n`)
    if (!isSound) process.exitCode = FAILED
  })
}

/** `storage format`. */
export async function runFormat(flags: FormatFlags): Promise<void> {
  await explained(async () => {
    const { parseServerProperties } = await import('../../fixture/server-node.ts')
    const { formatStorage } = await import('../../fixture/format-storage.ts')
    const { chosenFeatures, firstVoters } = await import('./first-voters.ts')
    const config = parseServerProperties(readPropertiesFile(flags.config))
    const voters = firstVoters(config, flags)
    formatStorage({
      config,
      clusterId: flags.clusterId,
      ignoreFormatted: flags.ignoreFormatted === true,
      voters,
      features: chosenFeatures(flags, voters !== null),
      say: (line) => process.stdout.write(`${line}\n`),
    })
  })
}

async function explained(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof KafketteError)) throw error
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = FAILED
  }
}
