import type { Random } from '../../src/ports/random.ts'

const UNIQUE_BYTES = 16
const MAX_NAME_LENGTH = 255
const FUTURE = /^(.+-\d+)\.[0-9a-f]{32}-future$/
const DELETED = /^.+\.[0-9a-f]{32}-delete$/

/** Kafka's name of the folder of a log that is still being copied from another log directory. */
export function futureFolder(key: string, random: Random): string {
  return `${key}.${unique(random)}-future`
}

/** Kafka's name of the folder of a log that is about to be removed; a long name of a topic is cut for it. */
export function deletedFolder(key: string, random: Random): string {
  const suffix = `.${unique(random)}-delete`
  return key.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
}

/** The `topic-partition` whose log is copied there; null for other folders. */
export function keyOfFuture(folder: string): string | null {
  return FUTURE.exec(folder)?.[1] ?? null
}

export function isDeletedFolder(folder: string): boolean {
  return DELETED.test(folder)
}

/** Whether the folder of a copy could not be named. */
export function isTooLongToMove(key: string): boolean {
  return key.length + '.-future'.length + 2 * UNIQUE_BYTES > MAX_NAME_LENGTH
}

function unique(random: Random): string {
  return random.bytes(UNIQUE_BYTES).toString('hex')
}
