import type { Config } from '../../base/config-def.ts'
import { KafketteError } from '../../base/errors.ts'
import { isUuid, randomUuid } from '../../base/uuid.ts'
import type { FirstVoter } from '../../fixture/format-storage.ts'
import {
  DEFAULT_FEATURES,
  FINALIZED_RELEASE,
  highestLevelOf,
  KNOWN_FEATURES,
} from '../../fixture/format-storage.ts'
import { NodeRandom } from '../../real/node-random.ts'
import type { FormatFlags } from './run-storage.ts'

const VOTER = /^(\d+)@(\[[^\]]+\]|[^:]+):(\d+):([\w-]{22})$/
const LISTENER = /^([\w-]+):\/\/(\[[^\]]+\]|[^:]*):(\d+)$/

/**
 * The voters that are to be written into the metadata directory; null when the settings name them. Throws
 * `KafketteError` FORMAT in the words of Kafka's storage tool.
 */
export function firstVoters(config: Config, flags: FormatFlags): readonly FirstVoter[] | null {
  const { standalone, initialControllers } = flags
  const isController = config.list('process.roles').includes('controller')
  const hasVoters = config.list('controller.quorum.voters').length > 0
  const listed = typeof initialControllers === 'string' ? initialControllers : null
  refuseTogether(flags)
  if (hasVoters && (standalone === true || listed !== null)) {
    throw refusal(
      'You cannot specify controller.quorum.voters and format the node with --initial-controllers or --standalone. ' +
        'If you want to use dynamic quorum, please remove controller.quorum.voters and specify ' +
        'controller.quorum.bootstrap.servers instead.',
    )
  }
  if (listed !== null) return parseVoters(listed)
  if (standalone === true) return [ownVoter(config, isController)]
  if (hasVoters || !isController) return null
  throw initialControllers === false
    ? refusal(
        '--no-initial-controllers: a controller that joins a running quorum is not served: set ' +
          'controller.quorum.voters, or format with --standalone or --initial-controllers.',
      )
    : refusal(
        'Because controller.quorum.voters is not set on this controller, you must specify one of the following: ' +
          '--standalone, --initial-controllers, or --no-initial-controllers.',
      )
}

/** The levels that the flags ask for, besides metadata.version; what this program does not serve is refused. */
export function chosenFeatures(
  flags: FormatFlags,
  isDynamic: boolean,
): ReadonlyMap<string, number> {
  const levels = new Map(DEFAULT_FEATURES)
  if (flags.addScram !== undefined)
    throw refusal('--add-scram: SCRAM is not served by this version.')
  const release = flags.releaseVersion
  const { name, short, level } = FINALIZED_RELEASE
  if (release !== undefined && release !== name && release !== short) {
    throw refusal(`Unknown metadata.version '${release}'. Supported metadata.version are: ${name}`)
  }
  for (const entry of flags.feature ?? []) {
    const [feature = '', wanted = ''] = entry.split('=')
    if (!/^\d+$/.test(wanted)) {
      throw refusal(`Can't parse feature=level string ${entry}. equals sign not found.`)
    }
    if (feature === 'kraft.version') refuseKraftVersion(wanted, isDynamic)
    else if (feature === 'metadata.version') {
      if (Number(wanted) !== level)
        throw refusal(`metadata.version ${wanted} is not served, only ${level}.`)
    } else if (!KNOWN_FEATURES.includes(feature)) {
      throw refusal(
        `Unsupported feature: ${feature}. Supported features are: ${KNOWN_FEATURES.join(', ')}`,
      )
    } else if (Number(wanted) > highestLevelOf(feature)) {
      const highest = highestLevelOf(feature)
      const served = highest === 0 ? 'only' : 'the highest is'
      throw refusal(
        `${feature}=${wanted} is not served by this version, ${served} ${feature}=${highest}.`,
      )
    } else if (highestLevelOf(feature) > 0) levels.set(feature, Number(wanted))
  }
  return new Map([...levels].filter(([, featureLevel]) => featureLevel > 0))
}

function refuseKraftVersion(wanted: string, isDynamic: boolean): void {
  if (isDynamic === (wanted === '1') && Number(wanted) <= 1) return
  throw refusal(
    isDynamic
      ? `Cannot set kraft.version to ${wanted} if one of the flags --standalone or --initial-controllers is used.`
      : `Cannot set kraft.version to ${wanted} unless controller.quorum.voters is empty and one of the flags ` +
          '--standalone, --initial-controllers, or --no-initial-controllers is used.',
  )
}

function refuseTogether({ standalone, initialControllers }: FormatFlags): void {
  if (standalone !== true || initialControllers === undefined || initialControllers === true) return
  const other =
    initialControllers === false ? '--no-initial-controllers/-N' : '--initial-controllers/-I'
  throw refusal(`argument ${other}: not allowed with argument --standalone/-s`)
}

function parseVoters(text: string): readonly FirstVoter[] {
  return text.split(',').map((entry) => {
    const found = VOTER.exec(entry.trim())
    const directoryId = found?.[4] ?? ''
    if (found === null || !isUuid(directoryId)) {
      throw refusal(`--initial-controllers: expected id@host:port:directory, not "${entry}"`)
    }
    const [, id, host = '', port] = found
    return {
      nodeId: Number(id),
      host: host.replaceAll(/[[\]]/g, ''),
      port: Number(port),
      directoryId,
    }
  })
}

/** The controller's own address, as it is advertised. */
function ownVoter(config: Config, isController: boolean): FirstVoter {
  if (!isController) throw refusal('You can only use --standalone on a controller.')
  const names = config.list('controller.listener.names')
  const found = [...config.list('advertised.listeners'), ...config.list('listeners')]
    .map((text) => LISTENER.exec(text))
    .find((parts) => parts !== null && names.includes(parts[1] ?? ''))
  if (found === undefined || found === null) throw refusal('No controller listeners found.')
  const random = new NodeRandom()
  return {
    nodeId: config.int('node.id'),
    host: (found[2] ?? '').replaceAll(/[[\]]/g, '') || 'localhost',
    port: Number(found[3]),
    directoryId: randomUuid((count) => random.bytes(count)),
  }
}

function refusal(message: string): KafketteError {
  return new KafketteError('FORMAT', message)
}
