import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { errorName, ErrorCode } from '../../../src/wire/error-codes.ts'
import { produceApi, type ProduceResponse } from '../../../src/wire/messages/00-produce.ts'
import { fetchApi } from '../../../src/wire/messages/01-fetch.ts'
import { metadataApi } from '../../../src/wire/messages/03-metadata.ts'
import { createTopicsApi } from '../../../src/wire/messages/19-create-topics.ts'
import { encodeRequest } from '../../../src/wire/request.ts'
import type { Api, Input } from '../../../src/wire/schema.ts'
import { batch } from '../cases/data-scenes.ts'
import { OurNode } from '../our-node.ts'
import { Target } from '../target.ts'
import { neverRead, openIdle, throwAt, type BrokerAddress } from './bad-clients.ts'
import { bombs } from './bombs.ts'
import { brokenFrames, wholeFrames } from './broken-frames.ts'

const MIB = 1024 * 1024
/** Twice what a frame of the largest size costs, on top of what the node itself takes. */
const MEMORY_BOUND_BYTES = 900 * MIB
const PROBE_LIMIT_MS = 3000
const CONNECTIONS = 10_000
/** Descriptors that this process needs for itself. */
const OWN_FILES = 200
const FRAMES_AT_ONCE = 40
const UNREAD_BYTES = 64 * MIB
const COMPACTED = 'compacted'
const PLAIN = 'data'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
}

/** Every kind of bad client against one node of ours; prints a line for each and gives the exit code. */
export async function runFuzz({ seconds, seed }: FuzzOptions): Promise<number> {
  await using node = await OurNode.start({
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'auto.create.topics.enable': 'false',
  })
  const run = new FuzzRun(node)
  try {
    await run.prepare()
    await run.phase('decompression bombs', () => run.sendBombs())
    await run.phase('idle and half-open connections', () => run.holdConnections())
    await run.phase('a client that never reads', () => run.stopReading())
    await run.phase('broken requests', () => run.sendBroken(seconds, seed))
    return run.failures === 0 ? 0 : 1
  } finally {
    run.close()
  }
}

class FuzzRun {
  failures = 0
  readonly #node: OurNode
  readonly #address: BrokerAddress
  readonly #target: Target

  constructor(node: OurNode) {
    this.#node = node
    this.#address = { host: node.addresses.host, port: node.addresses.brokerPort }
    this.#target = new Target('ours', node.addresses)
  }

  async prepare(): Promise<void> {
    const configs = [{ name: 'cleanup.policy', value: 'compact' }]
    const topics = [{ name: COMPACTED, numPartitions: 1, replicationFactor: 1, configs }]
    await this.#ask(createTopicsApi, 7, { timeoutMs: 5000, topics })
    await this.#target.topicId(COMPACTED)
    await this.#target.needTopic({ name: PLAIN, partitions: 1 }, 0)
  }

  close(): void {
    this.#target.close()
  }

  /** A phase is good when it says so itself, the node lives, others are served and its memory is bounded. */
  async phase(name: string, act: () => Promise<string>): Promise<void> {
    const startedMs = performance.now()
    const problems: string[] = []
    let found = ''
    try {
      found = await act()
      const probeMs = await this.#probe()
      if (probeMs > PROBE_LIMIT_MS) problems.push(`another client waited ${Math.round(probeMs)} ms`)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
    if (!this.#node.isRunning) problems.push(`the node ended: ${this.#node.output}`)
    const peakBytes = this.#node.isRunning ? peakMemoryBytes(this.#node.pid) : 0
    if (peakBytes > MEMORY_BOUND_BYTES) problems.push('its memory grew beyond the bound')
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    const verdict = problems.length === 0 ? 'ok' : `FAILED: ${problems.join('; ')}`
    process.stdout.write(
      `${name}: ${verdict} (${found}; ${seconds} s, peak memory ${Math.round(peakBytes / MIB)} MiB)\n`,
    )
    if (problems.length > 0) this.failures += 1
  }

  /** To a compacted topic, since that one looks at the records; the answer has to be an error. */
  async sendBombs(): Promise<string> {
    const said: string[] = []
    for (const { codec, batch, expandedBytes } of bombs(Date.now())) {
      const { errorCode } = await this.#produce(COMPACTED, batch)
      said.push(`${codec} ${Math.round(expandedBytes / MIB)} MiB: ${errorName(errorCode)}`)
      if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.UNKNOWN_SERVER_ERROR) {
        throw new Error(`a ${codec} bomb was answered by ${errorName(errorCode)}`)
      }
    }
    return said.join(', ')
  }

  async holdConnections(): Promise<string> {
    const count = Math.min(CONNECTIONS, openFileLimit() - OWN_FILES)
    const sockets = await openIdle(this.#address, count)
    try {
      const probeMs = await this.#probe()
      if (sockets.length < count) throw new Error(`only ${sockets.length} of ${count} were taken`)
      if (probeMs > PROBE_LIMIT_MS)
        throw new Error(`another client waited ${Math.round(probeMs)} ms`)
      return `${sockets.length} connections, another client waits ${Math.round(probeMs)} ms`
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  }

  async stopReading(): Promise<string> {
    await this.#produce(PLAIN, batch(2000))
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }]
    const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: PLAIN, partitions }] }
    const request = Buffer.concat(encodeRequest(fetchApi, 12, 1, 'deaf', body))
    const { socket, isStopped } = await neverRead(this.#address, request, UNREAD_BYTES)
    try {
      const probeMs = await this.#probe()
      if (!isStopped) throw new Error(`the broker took ${UNREAD_BYTES / MIB} MiB of requests`)
      return `it stopped reading, another client waits ${Math.round(probeMs)} ms`
    } finally {
      socket.destroy()
    }
  }

  async sendBroken(seconds: number, seed: number): Promise<string> {
    const broken = brokenFrames(wholeFrames())
    const endMs = performance.now() + seconds * 1000
    let sent = 0
    for (let round = 0; performance.now() < endMs; round += 1) {
      const frames = fc.sample(broken, { seed: seed + round, numRuns: FRAMES_AT_ONCE })
      await Promise.all(frames.map((frame) => throwAt(this.#address, [frame])))
      sent += frames.length
      if (!this.#node.isRunning) throw new Error(`after round ${round} of seed ${seed}`)
      const probeMs = await this.#probe()
      if (probeMs > PROBE_LIMIT_MS) {
        throw new Error(
          `in round ${round} of seed ${seed} another client waited ${Math.round(probeMs)} ms`,
        )
      }
      await pause(0)
    }
    return `${sent} requests from seed ${seed}`
  }

  /** How long a client that does nothing wrong waits to store a record and to learn where topics are. */
  async #probe(): Promise<number> {
    const startedMs = performance.now()
    await this.#ask(metadataApi, 12, { topics: [{ name: PLAIN }] })
    const { errorCode } = await this.#produce(PLAIN, batch())
    if (errorCode !== ErrorCode.NONE) throw new Error(`another client got ${errorName(errorCode)}`)
    return performance.now() - startedMs
  }

  async #produce(name: string, records: Buffer): Promise<{ readonly errorCode: number }> {
    const topicData = [{ name, partitionData: [{ index: 0, records }] }]
    const answer: ProduceResponse = await this.#ask(produceApi, 9, {
      acks: -1,
      timeoutMs: 5000,
      topicData,
    })
    return (
      answer.responses[0]?.partitionResponses[0] ?? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }
    )
  }

  async #ask<Req, Res>(api: Api<Req, Res>, version: number, body: Input<Req>): Promise<Res> {
    const outcome = await this.#target.send(api, version, body)
    if (outcome.kind === 'answer') return outcome.body as Res
    throw new Error(`${api.name} of another client was answered by: ${outcome.kind}`)
  }
}

/** The most that the process ever held; what it holds now where the system does not tell. */
function peakMemoryBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return (
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
    )
  }
}

function openFileLimit(): number {
  const text = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return text === 'unlimited' ? CONNECTIONS + OWN_FILES : Number(text)
}
