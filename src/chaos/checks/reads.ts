import type { ReadRecord } from '../history/operation.ts'
import type { Finding } from './finding.ts'
import type { HistoryIndex, Poll } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import type { PartitionHistory } from './partition-history.ts'

/** D2: what is read was sent, to this partition and with this key. */
export const noPhantoms: HistoryRule = {
  invariant: 'D2',
  judge(history, finding) {
    for (const partition of history.lastingPartitions()) {
      if (history.facts.foreignTopics.has(partition.topic)) continue
      const { topic, name } = partition
      eachRecord(partition, ({ offset, value, key }, { atMs }) => {
        finding.look()
        const sent = history.sendOf.get(value)?.operation
        const where = `at offset ${offset} of ${name}`
        if (sent === undefined) return finding.violated(atMs, `nobody sent ${value}, read ${where}`)
        if (sent.topic !== topic || sent.partition !== partition.partition) {
          const target = `${sent.topic}-${sent.partition}`
          return finding.violated(atMs, `${value} was sent to ${target} and read ${where}`)
        }
        if (sent.key === key) return
        finding.violated(atMs, `${value} was sent with key ${sent.key}, read ${where} was ${key}`)
      })
    }
  },
}

/**
 * D3 as clients see it: what was read once is in the final log, at the same offset. Without a final read, all
 * reads of an offset must agree.
 */
export const consistentReads: HistoryRule = {
  invariant: 'D3',
  judge(history, finding) {
    if (!history.isDurable) return
    for (const partition of history.lastingPartitions()) {
      checkAgreement(partition, finding)
      const isRead = partition.polls.some(({ operation }) => (operation.records ?? []).length > 0)
      if (!isRead) continue
      if (history.evidence.isFinalReadComplete && partition.hasFinalRead) {
        checkFinal(history, partition, finding)
      } else finding.unknown()
    }
  },
}

/** D4: a send that is known to have failed is never read. Values of repeats are those of an earlier send. */
export const noFailedReads: HistoryRule = {
  invariant: 'D4',
  judge(history, finding) {
    let failed = 0
    for (const { kind } of history.sendOf.values()) failed += kind === 'fail' ? 1 : 0
    if (failed === 0) return
    for (const partition of history.partitions.values()) {
      eachRecord(partition, ({ offset, value }, { atMs }) => {
        finding.look()
        const send = history.sendOf.get(value)
        if (send?.kind !== 'fail') return
        const why = send.operation.error ?? 'an error'
        finding.violated(
          atMs,
          `${value} failed with ${why} and was read at offset ${offset} of ${partition.name}`,
        )
      })
    }
  },
}

/**
 * D7 as clients see it: no answer has bytes that a client cannot read. Only where no fault changes bytes on a
 * disk: Apache Kafka serves what its files hold and leaves the CRC to the client.
 */
export const readableBytes: HistoryRule = {
  invariant: 'D7',
  judge(history, finding) {
    if (!history.facts.hasNoDamage) return
    for (const { operation, isRefused, atMs } of history.polls) {
      finding.look()
      if (!isRefused || operation.error !== 'CORRUPT_MESSAGE') continue
      finding.violated(
        atMs,
        `what was served at offset ${operation.position} of ${operation.topic}-${operation.partition} cannot be read`,
      )
    }
  },
}

function eachRecord(
  partition: PartitionHistory,
  visit: (record: ReadRecord, poll: Poll) => void,
): void {
  for (const poll of partition.polls) {
    for (const record of poll.operation.records ?? []) visit(record, poll)
  }
}

function checkAgreement(partition: PartitionHistory, finding: Finding): void {
  const first = new Map<number, string>()
  eachRecord(partition, ({ offset, value }, { atMs }) => {
    const known = first.get(offset)
    if (known === undefined) return void first.set(offset, value)
    finding.look()
    if (known === value) return
    finding.violated(
      atMs,
      `at offset ${offset} of ${partition.name} was read ${known}, later ${value}`,
    )
  })
}

function checkFinal(history: HistoryIndex, partition: PartitionHistory, finding: Finding): void {
  const { topic, name, finalLog } = partition
  if (history.facts.isCompacted(topic)) return
  const start = history.facts.mayExpire(topic) ? partition.logStart : 0
  eachRecord(partition, ({ offset, value }, { operation, atMs }) => {
    if (operation.purpose === 'final' || offset < start) return
    finding.look()
    if (finalLog.has(offset)) return
    finding.violated(atMs, `${value} was read at offset ${offset} of ${name} and is gone`)
  })
}
