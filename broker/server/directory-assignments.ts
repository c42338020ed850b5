import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  assignReplicasToDirsApi,
  type AssignReplicasToDirsRequest,
  type AssignReplicasToDirsResponse,
} from '../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ControllerSender } from './request-context.ts'

export interface DirectoryAssignmentsOptions {
  readonly brokerId: number
  /** Of the registration; -1 while there is none. */
  readonly brokerEpoch: () => number
  readonly channel: ControllerSender
  readonly clock: Clock
  readonly timeoutMs: number
}

interface Assignment {
  readonly topicId: Uuid
  readonly partition: number
  readonly directoryId: Uuid
}

const VERSION = 0
/** As many as fit into a request, as in Kafka. */
const MAX_ASSIGNMENTS = 2250
const RETRY_MS = 100
/** The controller has no such replica; the metadata will say so. */
const FINAL_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.NONE,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
])

/**
 * Tells the controller in which log directories the replicas of this broker lie (AssignReplicasToDirs, KIP-858), one
 * request at a time, until it has taken each in. Of a replica only the newest place counts.
 */
export class DirectoryAssignments {
  readonly #options: DirectoryAssignmentsOptions
  readonly #pending = new Map<string, Assignment>()
  #isBusy = false
  #isClosed = false

  constructor(options: DirectoryAssignmentsOptions) {
    this.#options = options
  }

  assign(topicId: Uuid, partition: number, directoryId: Uuid): void {
    this.#pending.set(`${topicId} ${partition}`, { topicId, partition, directoryId })
    this.#pumpLater(0)
  }

  close(): void {
    this.#isClosed = true
  }

  /** What comes in one step goes in one request. */
  #pumpLater(delayMs: number): void {
    if (this.#isBusy || this.#isClosed) return
    this.#isBusy = true
    this.#options.clock.after(delayMs, 'directory-assignments', () => this.#send())
  }

  #send(): void {
    this.#isBusy = false
    const { brokerId, brokerEpoch, channel, timeoutMs } = this.#options
    if (this.#isClosed || this.#pending.size === 0) return
    if (brokerEpoch() === -1) return this.#pumpLater(RETRY_MS)
    const sent = [...this.#pending].slice(0, MAX_ASSIGNMENTS)
    const request = requestOf(
      brokerId,
      brokerEpoch(),
      sent.map(([, each]) => each),
    )
    this.#isBusy = true
    channel.send(assignReplicasToDirsApi, VERSION, request, timeoutMs, (error, response) => {
      this.#isBusy = false
      if (this.#isClosed) return
      const answered = error === null && response !== null ? finalOf(response) : new Set<string>()
      for (const [key, assignment] of sent) {
        const isFinal = answered.has(`${assignment.directoryId} ${key}`)
        if (isFinal && this.#pending.get(key) === assignment) this.#pending.delete(key)
      }
      if (this.#pending.size > 0) this.#pumpLater(answered.size === 0 ? RETRY_MS : 0)
    })
  }
}

function requestOf(
  brokerId: number,
  brokerEpoch: number,
  assignments: readonly Assignment[],
): Input<AssignReplicasToDirsRequest> {
  const byDirectory = new Map<Uuid, Map<Uuid, { partitionIndex: number }[]>>()
  for (const { topicId, partition, directoryId } of assignments) {
    const topics = byDirectory.get(directoryId) ?? new Map<Uuid, { partitionIndex: number }[]>()
    byDirectory.set(directoryId, topics)
    const partitions = topics.get(topicId) ?? []
    topics.set(topicId, partitions)
    partitions.push({ partitionIndex: partition })
  }
  const directories = [...byDirectory].map(([id, topics]) => ({
    id,
    topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
  }))
  return { brokerId, brokerEpoch, directories }
}

/** `directory topic partition` of all that need not be sent again. */
function finalOf({ errorCode, directories }: AssignReplicasToDirsResponse): ReadonlySet<string> {
  const final = new Set<string>()
  if (errorCode !== ErrorCode.NONE) return final
  for (const { id, topics } of directories) {
    for (const { topicId, partitions } of topics) {
      for (const { partitionIndex, errorCode: code } of partitions) {
        if (FINAL_ERRORS.has(code)) final.add(`${id} ${topicId} ${partitionIndex}`)
      }
    }
  }
  return final
}
