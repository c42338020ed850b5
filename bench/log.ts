// Question: how many MB a second does one partition's log take in and give back, on the disk of
// this machine and in memory? Run with `npx node bench/log.ts`; prints operations and MB per
// second.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bench } from 'tinybench'
import type { Disk } from '../src/ports/disk.ts'
import { MemoryDisk } from '../src/real/memory-disk.ts'
import { NodeDisk } from '../src/real/node-disk.ts'
import { writeBatch } from '../src/wire/record-batch.ts'
import { DEFAULT_LOG_CONFIG } from '../broker/log/log-config.ts'
import { PartitionLog } from '../broker/log/partition-log.ts'

const NOW_MS = 1_700_000_000_000
const TIME_MS = 500
const MB = 1_000_000
const LIMIT_BYTES = 256 * MB
const FETCH_BYTES = 1024 * 1024

/** A log that starts over before it fills the disk. */
class Workbench {
  readonly log: PartitionLog
  offset = 0

  constructor(disk: Disk, name: string) {
    this.log = PartitionLog.open({
      disk,
      directory: name,
      topic: name,
      partition: 0,
      topicId: 'm6n1kfcJSZOn0XtHBnxWdA',
      config: { ...DEFAULT_LOG_CONFIG, maxMessageBytes: 2 * FETCH_BYTES },
      recoveryPoint: 0,
      isCleanShutdown: false,
      nowMs: NOW_MS,
      events: { emit: () => undefined },
    })
  }

  append(batch: Buffer): void {
    if (this.log.sizeBytes > LIMIT_BYTES) this.log.truncateFullyAndStartAt(0)
    batch.writeBigInt64BE(0n, 0)
    const options = { leaderEpoch: 0, nowMs: NOW_MS, origin: 'client' } as const
    const { error, message } = this.log.appendAsLeader(batch, options)
    if (error !== 0) throw new Error(message ?? String(error))
  }

  fill(batch: Buffer, bytes: number): void {
    while (this.log.sizeBytes < bytes) this.append(batch)
  }

  /** Reads on from the last read, and from the start again at the end. Returns the bytes read. */
  readOn(batchBytes: number, recordsPerBatch: number): number {
    const { offset, log } = this
    const request = { offset, maxBytes: FETCH_BYTES, minOneBatch: true, endOffset: Infinity }
    const { error, records } = log.read(request)
    if (error !== 0) throw new Error(`error ${error} at ${offset}`)
    this.offset += (records.length / batchBytes) * recordsPerBatch
    if (this.offset >= log.logEndOffset) this.offset = 0
    return records.length
  }
}

function batchOf(count: number, valueBytes: number): Buffer {
  const value = Buffer.alloc(valueBytes, 'x')
  const records = Array.from({ length: count }, () => ({ key: null, value }))
  return writeBatch({ records, timestampMs: NOW_MS })
}

const SHAPES = [
  { name: '64 KiB batches', count: 63, valueBytes: 1024 },
  { name: '1 MiB batches', count: 1000, valueBytes: 1024 },
  { name: '100 B batches', count: 1, valueBytes: 100 },
]

const directory = mkdtempSync(join(tmpdir(), 'kafkette-bench-'))
try {
  const bench = new Bench({ time: TIME_MS, warmupTime: 100 })
  const bytesOf = new Map<string, number>()
  const disks: readonly (readonly [string, Disk])[] = [
    ['disk', new NodeDisk(directory)],
    ['memory', new MemoryDisk()],
  ]
  for (const [where, disk] of disks) {
    for (const { name, count, valueBytes } of SHAPES) {
      const batch = batchOf(count, valueBytes)
      const writer = new Workbench(disk, `w-${count}`)
      const append = `append ${name}, ${where}`
      bytesOf.set(append, batch.length)
      bench.add(append, () => writer.append(batch))
      const reader = new Workbench(disk, `r-${count}`)
      reader.fill(batch, Math.min(64 * MB, 200_000 * batch.length))
      const read = `read 1 MiB of ${name}, ${where}`
      bytesOf.set(read, reader.readOn(batch.length, count))
      bench.add(read, () => {
        reader.readOn(batch.length, count)
      })
    }
  }
  await bench.run()
  console.table(
    bench.tasks.map((task) => {
      const throughput = 'throughput' in task.result ? task.result.throughput.mean : 0
      return {
        task: task.name,
        'ops/s': Math.round(throughput),
        'MB/s': Math.round((throughput * (bytesOf.get(task.name) ?? 0)) / MB),
      }
    }),
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
