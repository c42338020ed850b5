import type { Config } from '../src/base/config-def.ts'
import { ConfigError, DiskError, messageOf, type DiskErrorCode } from '../src/base/errors.ts'
import type { Uuid } from '../src/base/uuid.ts'
import type { Disk } from '../src/ports/disk.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import {
  claimDirectory,
  leaveCleanShutdownMark,
  syncClaim,
  takeCleanShutdownMark,
} from './node-identity.ts'
import type { OpenedDirectory } from './replica/log-directories.ts'

/** Where a node keeps its data, as its settings say. */
export interface LogPaths {
  /** `log.dirs`, or else `log.dir`, each once. */
  readonly logs: readonly string[]
  /** `metadata.log.dir`, by default the first of them. */
  readonly metadata: string
}

export function logPathsOf(config: Config): LogPaths {
  const given = config.list('log.dirs')
  const logs = [...new Set(given.length > 0 ? given : config.list('log.dir'))]
  return { logs, metadata: config.nullableString('metadata.log.dir') ?? logs[0] ?? '' }
}

/** The directories of a node, claimed for it. */
export interface NodeDirectories {
  /** Of the directory with the metadata log. */
  readonly metadataId: Uuid
  /** Of the last run when it ended in order, -1 when that is not known; null after a crash. */
  readonly previousBrokerEpoch: number | null
  /** In the order of `log.dirs`. */
  readonly logs: readonly OpenedDirectory[]
}

interface Wanted {
  readonly clusterId: string
  readonly nodeId: number
}

/**
 * Opens and claims all log directories. One that cannot be read is offline, and the node goes on with the others;
 * without the one of the metadata log it cannot. Throws `ConfigError` when one belongs to another node or cluster, or
 * two have the same id.
 */
export function openDirectories(config: Config, ports: NodePorts, wanted: Wanted): NodeDirectories {
  const paths = logPathsOf(config)
  const metadata = claim(ports.disk, ports, wanted)
  const logs = paths.logs.map((path): OpenedDirectory => {
    if (path === paths.metadata) return { path, opened: metadata }
    try {
      return { path, opened: claim(openDisk(ports, path), ports, wanted) }
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`${path}: ${error.message}`)
      if (!(error instanceof DiskError)) throw error
      ports.events.emit('log-directory.offline', { path, error: messageOf(error) })
      return { path, opened: null }
    }
  })
  refuseSameIds([{ path: paths.metadata, opened: metadata }, ...logs])
  const { id, previousBrokerEpoch } = metadata
  return { metadataId: id, previousBrokerEpoch, logs }
}

/**
 * Makes the claims durable; a node joins nothing before. `onFailed` hears of each directory but that of the metadata log
 * that refuses, `done` of that one.
 */
export function syncClaims(
  ports: NodePorts,
  { logs }: NodeDirectories,
  onFailed: (path: string, code: DiskErrorCode) => void,
  done: (error: DiskErrorCode | null) => void,
): void {
  const others = logs.filter(({ opened }) => opened !== null && opened.disk !== ports.disk)
  let left = others.length + 1
  let failure: DiskErrorCode | null = null
  const end = (): void => {
    left -= 1
    if (left === 0) done(failure)
  }
  syncClaim(ports.disk, (error) => {
    failure = error
    end()
  })
  for (const { path, opened } of others) {
    if (opened === null) continue
    syncClaim(opened.disk, (error) => {
      if (error !== null) onFailed(path, error)
      end()
    })
  }
}

/** Says in each of these directories that all that is in it is flushed and closed. Throws `DiskError`. */
export function leaveMarks(
  ports: NodePorts,
  online: readonly { readonly disk: Disk }[],
  brokerEpoch: number,
): void {
  leaveCleanShutdownMark(ports.disk, brokerEpoch)
  for (const { disk } of online) {
    if (disk !== ports.disk) leaveCleanShutdownMark(disk, brokerEpoch)
  }
}

type Claimed = NonNullable<OpenedDirectory['opened']> & {
  readonly previousBrokerEpoch: number | null
}

function claim(disk: Disk, { random }: NodePorts, wanted: Wanted): Claimed {
  const { directoryId: id } = claimDirectory(disk, random, wanted)
  const previousBrokerEpoch = takeCleanShutdownMark(disk)
  return { id, disk, isCleanStart: previousBrokerEpoch !== null, previousBrokerEpoch }
}

function openDisk({ logDisk }: NodePorts, path: string): Disk {
  if (logDisk !== undefined) return logDisk(path)
  throw new ConfigError(`log.dirs: this node has one directory, ${path} is not it`)
}

function refuseSameIds(directories: readonly OpenedDirectory[]): void {
  const paths = new Map<Uuid, string>()
  for (const { path, opened } of directories) {
    if (opened === null) continue
    const other = paths.get(opened.id)
    if (other !== undefined && other !== path) {
      throw new ConfigError(
        `Duplicate directory ID ${opened.id} found. It was the ID of ${other}, but also of ${path}`,
      )
    }
    paths.set(opened.id, path)
  }
}
