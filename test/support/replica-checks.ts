import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { crc32c } from '../../src/wire/crc32c.ts'
import { batchSizeBytes, readBatchHeader, readRecords } from '../../src/wire/record-batch.ts'
import type { Partition } from '../../broker/replica/partition.ts'
import type { ReplicaBroker, ReplicaCluster, Send } from './replica-cluster.ts'

/** How often each invariant was looked at with something to find. */
export type Evaluations = Record<
  'R1' | 'R2' | 'R5' | 'R7' | 'R8' | 'R10' | 'R14' | 'D1' | 'D8' | 'D9',
  number
>

/**
 * Watches a cluster for the invariants of `partition replication` and notes what breaks them. Logs must begin
 * at 0 (no retention). `trueHighWatermark` is the ghost: the highest one any leader has acted on.
 */
export class ReplicaChecks {
  readonly violations: string[] = []
  readonly evaluations: Evaluations = {
    R1: 0,
    R2: 0,
    R5: 0,
    R7: 0,
    R8: 0,
    R10: 0,
    R14: 0,
    D1: 0,
    D8: 0,
    D9: 0,
  }
  readonly #cluster: ReplicaCluster
  readonly #trueHighWatermark = new Map<string, Offset>()
  readonly #leaders = new Map<string, string>()
  /** `key:offset:epoch` of a batch to the checksum of the log up to its end. */
  readonly #chains = new Map<string, number>()
  readonly #leaderHighWatermark = new Map<string, Offset>()

  constructor(cluster: ReplicaCluster) {
    this.#cluster = cluster
    cluster.world.onEvent(({ node, kind, fields }) => {
      const key = topicPartitionKey(String(fields['topic']), Number(fields['partition']))
      if (kind === 'partition.leader-changed' && fields['role'] === 'leader') {
        this.#onLeader(node, key, Number(fields['leaderEpoch']), Number(fields['logEndOffset']))
      }
      if (kind === 'partition.high-watermark') {
        const epoch = Number(fields['leaderEpoch'])
        this.#onHighWatermark(node, key, epoch, Number(fields['highWatermark']))
      }
      if (kind === 'replica.truncated') this.#onTruncation(node, key, Number(fields['to']))
    })
  }

  trueHighWatermark(key: string): Offset {
    return this.#trueHighWatermark.get(key) ?? 0
  }

  /** The checks that read whole logs. */
  atBarrier(): void {
    for (const broker of this.#upBrokers()) {
      for (const partition of broker.manager.partitions()) {
        this.#checkChain(broker, partition)
        this.#checkBounds(broker, partition)
      }
    }
    this.#checkIsr()
    this.#checkCommittedPrefixes()
  }

  /** When a producer hears of success with acks=all (D8). */
  onAck(send: Send, partition: Partition): void {
    if (send.acks !== -1 || send.result?.error !== ErrorCode.NONE) return
    this.evaluations.D8 += 1
    const inSync = partition.leaderRole?.inSync.maximal.size ?? 0
    if (partition.log.highWatermark <= send.result.baseOffset) {
      this.#broken('D8', `${partition.key}: ${send.value} acked above the high watermark`)
    }
    if (inSync < partition.effectiveMinInsyncReplicas) {
      this.#broken('D8', `${partition.key}: ${send.value} acked with ${inSync} in sync`)
    }
  }

  /** After the cluster has become quiet: nothing acked is lost (D1) and replicas are equal (D9). */
  atEnd(sends: readonly Send[]): void {
    this.atBarrier()
    for (const state of this.#cluster.controller.states()) {
      const parts = state.replicas.map((id) =>
        this.#cluster.partition(id, state.topic, state.partition),
      )
      const [first, ...others] = parts.map((partition) => logBytes(partition))
      this.evaluations.D9 += 1
      if (others.some((bytes) => first === undefined || !bytes.equals(first))) {
        this.#broken('D9', `${state.topic}-${state.partition}: replicas differ in the end`)
      }
      const epochs = parts.map((partition) => epochsOf(partition))
      if (new Set(epochs).size > 1) {
        this.#broken(
          'D9',
          `${state.topic}-${state.partition}: epochs differ: ${epochs.join(' | ')}`,
        )
      }
      const values = valuesOf(first ?? Buffer.alloc(0))
      for (const send of sends) {
        const { result } = send
        if (send.acks !== -1 || result?.error !== ErrorCode.NONE) continue
        if (result.topic !== state.topic || result.partition !== state.partition) continue
        this.evaluations.D1 += 1
        if (values.get(result.baseOffset) !== send.value) {
          this.#broken('D1', `${send.value} was acked at ${result.baseOffset} and is not there`)
        }
      }
    }
  }

  #onLeader(node: string, key: string, epoch: number, logEndOffset: Offset): void {
    this.evaluations.R5 += 1
    const known = this.#leaders.get(`${key}:${epoch}`) ?? node
    if (known !== node) this.#broken('R5', `${key} epoch ${epoch} is led by ${known} and ${node}`)
    this.#leaders.set(`${key}:${epoch}`, node)
    const committed = this.trueHighWatermark(key)
    if (committed > 0) this.evaluations.R7 += 1
    if (logEndOffset < committed) {
      this.#broken('R7', `${node} leads ${key} from ${logEndOffset} below ${committed}`)
    }
  }

  #onHighWatermark(node: string, key: string, epoch: number, highWatermark: Offset): void {
    this.#trueHighWatermark.set(key, Math.max(this.trueHighWatermark(key), highWatermark))
    const before = this.#leaderHighWatermark.get(`${key}:${epoch}`) ?? -1
    if (highWatermark <= before) this.#broken('R11', `${key}: ${before} went to ${highWatermark}`)
    this.#leaderHighWatermark.set(`${key}:${epoch}`, highWatermark)
    this.evaluations.R10 += 1
    const leader = this.#upBrokers().find((broker) => broker.node.name === node)
    const led = leader?.manager.partitions().find((partition) => partition.key === key)
    const role = led?.leaderRole
    if (led === undefined || role === null || role === undefined) return
    if (role.inSync.committed.size < led.effectiveMinInsyncReplicas) {
      this.#broken('R10', `${key}: committed ${highWatermark} with too few in sync`)
    }
    for (const id of role.inSync.maximal) {
      const broker = this.#cluster.brokers.get(id)
      const member =
        broker?.node.isUp === true ? broker.manager.partition(led.topic, led.partition) : null
      if (member !== null && member.log.logEndOffset < highWatermark) {
        this.#broken('R10', `${key}: ${highWatermark} is committed, ${id} ends before`)
      }
    }
  }

  /** R14: an in-sync replica has all that is committed, so it has nothing to cut below that. */
  #onTruncation(node: string, key: string, to: Offset): void {
    const state = this.#cluster.controller
      .states()
      .find(({ topic, partition }) => `${topic}-${partition}` === key)
    if (state?.isr.some((id) => `broker-${id}` === node) !== true) return
    this.evaluations.R14 += 1
    if (to < this.trueHighWatermark(key)) {
      this.#broken('R14', `${node} cut ${key} at ${to}, below ${this.trueHighWatermark(key)}`)
    }
  }

  #checkBounds(broker: ReplicaBroker, { key, log }: Partition): void {
    const isWithin =
      log.logStartOffset <= log.highWatermark && log.highWatermark <= log.logEndOffset
    if (!isWithin) {
      const seen = `${log.logStartOffset}, ${log.highWatermark}, ${log.logEndOffset}`
      this.#broken('R10', `${key} on ${broker.id}: start, high watermark, end are ${seen}`)
    }
  }

  /** R1 and R3: the same offset and epoch mean the same log up to there; no gaps, no falling epochs. */
  #checkChain(broker: ReplicaBroker, partition: Partition): void {
    const bytes = logBytes(partition)
    let chain = 0
    let offset = 0
    let epoch = 0
    for (let position = 0; position < bytes.length;) {
      const header = readBatchHeader(bytes, position)
      const size = batchSizeBytes(bytes, position)
      if (header.baseOffset !== offset || header.partitionLeaderEpoch < epoch) {
        this.#broken('R3', `${partition.key} on ${broker.id}: order is broken at ${offset}`)
      }
      const link = Buffer.alloc(4)
      link.writeUInt32BE(chain)
      chain = crc32c(Buffer.concat([link, bytes.subarray(position, position + size)]))
      const name = `${partition.key}:${offset}:${header.partitionLeaderEpoch}`
      const known = this.#chains.get(name)
      if (known !== undefined) this.evaluations.R1 += 1
      if (known !== undefined && known !== chain) {
        this.#broken('R1', `${partition.key} on ${broker.id}: another history below ${offset}`)
      }
      this.#chains.set(name, chain)
      offset = header.lastOffset + 1
      epoch = header.partitionLeaderEpoch
      position += size
    }
    if (offset !== partition.log.logEndOffset) {
      this.#broken('R3', `${partition.key} on ${broker.id}: ends at ${offset}`)
    }
  }

  /** R2: what two replicas both take for committed is the same. */
  #checkCommittedPrefixes(): void {
    const brokers = this.#upBrokers()
    const [first] = brokers
    if (first === undefined) return
    for (const state of this.#cluster.controller.states()) {
      const parts = brokers.flatMap(
        ({ manager }) => manager.partition(state.topic, state.partition) ?? [],
      )
      for (const [index, a] of parts.entries()) {
        for (const b of parts.slice(index + 1)) {
          const end = Math.min(a.log.highWatermark, b.log.highWatermark)
          if (end > 0) this.evaluations.R2 += 1
          if (!logBytes(a, end).equals(logBytes(b, end))) {
            this.#broken('R2', `${a.key}: committed records below ${end} differ`)
          }
        }
      }
    }
  }

  /** R8: every living member of the controller's ISR has all that is committed. */
  #checkIsr(): void {
    for (const state of this.#cluster.controller.states()) {
      const key = `${state.topic}-${state.partition}`
      for (const id of state.isr) {
        const partition = this.#hosted(id, state.topic, state.partition)
        if (partition === null) continue
        this.evaluations.R8 += 1
        if (partition.log.logEndOffset < this.trueHighWatermark(key)) {
          const seen = `${partition.log.logEndOffset} < ${this.trueHighWatermark(key)}`
          this.#broken(
            'R8',
            `${key}: member ${id} of the ISR [${state.isr.join()}] ends at ${seen}`,
          )
        }
      }
    }
  }

  #hosted(id: BrokerId, topic: string, index: number): Partition | null {
    const broker = this.#cluster.broker(id)
    return broker.node.isUp ? broker.manager.partition(topic, index) : null
  }

  #upBrokers(): readonly ReplicaBroker[] {
    return [...this.#cluster.brokers.values()].filter(({ node }) => node.isUp)
  }

  #broken(invariant: string, what: string): void {
    this.violations.push(`${invariant} at ${this.#cluster.world.scheduler.nowMs} ms: ${what}`)
  }
}

/** All bytes of a log up to `endOffset`. */
export function logBytes(partition: Partition, endOffset = partition.log.logEndOffset): Buffer {
  const { log } = partition
  const parts: Buffer[] = []
  let offset = log.logStartOffset
  while (offset < endOffset) {
    const { records } = log.read({ offset, maxBytes: 1_000_000, minOneBatch: true, endOffset })
    if (records.length === 0) break
    parts.push(records)
    for (let position = 0; position < records.length;) {
      offset = readBatchHeader(records, position).lastOffset + 1
      position += batchSizeBytes(records, position)
    }
  }
  return Buffer.concat(parts)
}

/** Value of each record by its offset. */
export function valuesOf(bytes: Buffer): ReadonlyMap<Offset, string> {
  const values = new Map<Offset, string>()
  for (let position = 0; position < bytes.length; position += batchSizeBytes(bytes, position)) {
    for (const record of readRecords(bytes, position)) {
      values.set(record.offset, record.value?.toString() ?? '')
    }
  }
  return values
}

/** The epochs that have records, with their first offsets, as text. */
function epochsOf(partition: Partition): string {
  const bytes = logBytes(partition)
  const starts: string[] = []
  let last = -1
  for (let position = 0; position < bytes.length; position += batchSizeBytes(bytes, position)) {
    const { partitionLeaderEpoch, baseOffset } = readBatchHeader(bytes, position)
    if (partitionLeaderEpoch === last) continue
    last = partitionLeaderEpoch
    const end = partition.log.endOffsetForEpoch(partitionLeaderEpoch).endOffset
    starts.push(`${partitionLeaderEpoch}@${baseOffset}-${end}`)
  }
  return starts.join(' ')
}
