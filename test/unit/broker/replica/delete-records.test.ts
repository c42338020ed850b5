// Goal: DeleteRecords raises the log start on the leader, makes it durable, and answers when the followers that live
// have it too. Method: real replica managers in simulation.
import { describe, expect, it } from 'vitest'
import type { DeleteRecordsResult } from '../../../../broker/replica/delayed-delete-records.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ReplicaCluster } from '../../../support/replica-cluster.ts'

const T = 't'
const FILE = 'log-start-offset-checkpoint'

/** Topic `t` with replicas 1, 2, 3 and leader 1, all in sync, and five committed records. */
function cluster(configs: Readonly<Record<string, string>> = {}): ReplicaCluster {
  const made = new ReplicaCluster({ seed: 5 })
  made.start()
  made.controller.createTopic(T, [[1, 2, 3]], configs)
  made.until(() => made.isQuiet(), 'the topic')
  for (const value of ['a', 'b', 'c', 'd', 'e']) made.produce(T, value)
  made.until(() => made.isQuiet(), 'five records')
  return made
}

function deleteBefore(
  made: ReplicaCluster,
  offset: number,
  options: { broker?: number; partition?: number; timeoutMs?: number } = {},
): { result: DeleteRecordsResult | null } {
  const { broker = 1, partition = 0, timeoutMs = 5000 } = options
  const holder: { result: DeleteRecordsResult | null } = { result: null }
  made.broker(broker).manager.deleteRecords({
    timeoutMs,
    entries: [{ topic: T, partition, offset }],
    respond: ([result]) => {
      expect(holder.result).toBeNull()
      holder.result = result!
    },
  })
  return holder
}

function starts(made: ReplicaCluster): readonly number[] {
  return [1, 2, 3].map((id) => made.partition(id, T).log.logStartOffset)
}

function fileOf(made: ReplicaCluster, id: number): string | null {
  const { disk } = made.broker(id).node.ports
  if (!disk.exists(FILE)) return null
  const file = disk.open(FILE)
  const text = file.read(0, file.size()).toString('utf8')
  file.close()
  return text
}

describe('DeleteRecords', () => {
  it('answers when all replicas begin at the offset', () => {
    const made = cluster()
    const deletion = deleteBefore(made, 3)
    expect(starts(made)).toEqual([3, 0, 0])
    expect(deletion.result).toBeNull()
    made.until(() => deletion.result !== null, 'the answer')
    expect(deletion.result).toMatchObject({ error: ErrorCode.NONE, lowWatermark: 3 })
    expect(starts(made)).toEqual([3, 3, 3])
    const read = made.consume(1, { topic: T, fetchOffset: 2 })
    expect(read.result).toMatchObject({ error: ErrorCode.OFFSET_OUT_OF_RANGE, logStartOffset: 3 })
  })

  it('does not wait out the long poll of the followers', () => {
    const made = cluster()
    const { clock } = made.world.node('controller').ports
    const beganMs = clock.monoMs()
    const deletion = deleteBefore(made, 3)
    made.until(() => deletion.result !== null, 'the answer')
    expect(clock.monoMs() - beganMs).toBeLessThan(100)
  })

  it('takes -1 for all that is committed', () => {
    const made = cluster()
    const deletion = deleteBefore(made, -1)
    made.until(() => deletion.result !== null, 'the answer')
    expect(deletion.result).toMatchObject({ error: ErrorCode.NONE, lowWatermark: 5 })
  })

  it('changes nothing below the log start, and says where that is', () => {
    const made = cluster()
    const first = deleteBefore(made, 4)
    made.until(() => first.result !== null, 'the answer')
    const second = deleteBefore(made, 2)
    made.until(() => second.result !== null, 'the second answer')
    expect(second.result).toMatchObject({ error: ErrorCode.NONE, lowWatermark: 4 })
  })

  it.each([
    ['above the high watermark', 6, {}, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['below -1', -2, {}, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['on a follower', 1, { broker: 2 }, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    ['of an unknown partition', 1, { partition: 9 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ])('refuses an offset %s', (_, offset, options, error) => {
    const made = cluster()
    const deletion = deleteBefore(made, offset, options)
    expect(deletion.result).toMatchObject({ error, lowWatermark: -1 })
    expect(starts(made)).toEqual([0, 0, 0])
  })

  it('refuses a topic that is only compacted', () => {
    const compacted = cluster({ 'cleanup.policy': 'compact' })
    expect(deleteBefore(compacted, 0).result?.error).toBe(ErrorCode.POLICY_VIOLATION)
    const both = cluster({ 'cleanup.policy': 'compact,delete' })
    const deletion = deleteBefore(both, 0)
    both.until(() => deletion.result !== null, 'the answer')
    expect(deletion.result?.error).toBe(ErrorCode.NONE)
  })

  it('gives up at the time-out while a follower that counts as alive is silent', () => {
    const made = cluster()
    made.crash(3, 60_000)
    const deletion = deleteBefore(made, 3, { timeoutMs: 1000 })
    made.world.runFor(900)
    expect(deletion.result).toBeNull()
    made.until(() => deletion.result !== null, 'the time-out', 200)
    expect(deletion.result).toMatchObject({ error: ErrorCode.REQUEST_TIMED_OUT, lowWatermark: 0 })
    expect(starts(made).slice(0, 2)).toEqual([3, 3])
  })

  it('does not wait for a broker that is fenced', () => {
    const made = cluster()
    made.crash(3, 10)
    made.world.runFor(100)
    const deletion = deleteBefore(made, 3)
    made.until(() => deletion.result !== null, 'the answer')
    expect(deletion.result).toMatchObject({ error: ErrorCode.NONE, lowWatermark: 3 })
    made.restart(3)
    made.until(() => made.partition(3, T).log.logStartOffset === 3, 'broker 3 learns of it')
  })

  it('ends with the leadership', () => {
    const made = cluster()
    made.crash(3, 60_000)
    const deletion = deleteBefore(made, 3, { timeoutMs: 60_000 })
    made.controller.moveLeader(T, 0, 2)
    made.until(() => deletion.result !== null, 'the answer')
    expect(deletion.result).toMatchObject({ error: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })
})

describe('the log start after DeleteRecords', () => {
  it('is in the file that Kafka has for it, and survives a power cut of every broker', () => {
    const made = cluster()
    const deletion = deleteBefore(made, 3)
    made.until(() => deletion.result !== null, 'the answer')
    expect(fileOf(made, 1)).toBe('0\n1\nt 0 3\n')
    made.crash(1, 10)
    made.world.runFor(50)
    made.restart(1)
    made.until(() => made.isQuiet(), 'broker 1 is back')
    expect(starts(made)).toEqual([3, 3, 3])
  })

  it('is read from the file alone, as of a directory that Apache Kafka wrote', () => {
    const made = cluster()
    const deletion = deleteBefore(made, 3)
    made.until(() => deletion.result !== null, 'the answer')
    made.restartCleanly(1)
    const { store } = made.broker(1).node.ports
    store.delete('log-start/t-0')
    made.restartCleanly(1)
    made.until(() => made.isQuiet(), 'broker 1 is back')
    expect(made.partition(1, T).log.logStartOffset).toBe(3)
  })

  it('is not taken from a damaged file', () => {
    const made = cluster()
    const kinds: string[] = []
    made.world.onEvent(({ kind }) => kinds.push(kind))
    const { disk } = made.broker(2).node.ports
    const file = disk.open(FILE)
    file.append([Buffer.from('0\n9\nt 0 ')])
    file.close()
    made.restartCleanly(2)
    expect(kinds).toContain('log-start-checkpoint.ignored')
    made.until(() => made.isQuiet(), 'broker 2 is back')
    expect(made.partition(2, T).log.logStartOffset).toBe(0)
  })

  it('is forgotten with the topic', () => {
    const made = cluster()
    const deletion = deleteBefore(made, 3)
    made.until(() => deletion.result !== null, 'the answer')
    made.controller.deleteTopic(T)
    made.world.runFor(100)
    made.controller.createTopic(T, [[1, 2, 3]], {})
    made.until(() => made.isQuiet(), 'the new topic')
    expect(starts(made)).toEqual([0, 0, 0])
    made.world.runFor(6000)
    expect(fileOf(made, 1)).toBe('0\n0\n')
  })
})
