// Goal: the Connect worker moves files through a real cluster and loses no line. Method: inline brokers over real
// TCP, real files; the command itself runs as a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { startStandalone, type StandaloneWorker, type WorkerEvent } from '../../connect/index.ts'
import { createClient, type Client } from '../../src/client/index.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { NodeRandom } from '../../src/real/node-random.ts'
import { until } from '../../scenarios/lib/until.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const TOPIC = 'connect-test'
const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }

const root = mkdtempSync(join(tmpdir(), 'kafkette-connect-'))
afterAll(() => rmSync(root, { recursive: true }))

/** A pipeline of two connectors with files of its own. */
class Pipeline {
  readonly #directory = mkdtempSync(join(root, 'pipeline-'))
  readonly source = join(this.#directory, 'test.txt')
  readonly sink = join(this.#directory, 'test.sink.txt')
  readonly events: WorkerEvent[] = []
  readonly #bootstrapServers: string
  #lines = 0

  constructor(bootstrapServers: string) {
    this.#bootstrapServers = bootstrapServers
  }

  get workerProperties(): Record<string, string> {
    return {
      'bootstrap.servers': this.#bootstrapServers,
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'key.converter.schemas.enable': 'true',
      'value.converter.schemas.enable': 'true',
      'offset.storage.file.filename': join(this.#directory, 'connect.offsets'),
      'offset.flush.interval.ms': '200',
    }
  }

  get connectors(): readonly Record<string, string>[] {
    return [
      {
        name: 'file-source',
        'connector.class': 'FileStreamSource',
        file: this.source,
        topic: TOPIC,
      },
      {
        name: 'file-sink',
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
        file: this.sink,
        topics: TOPIC,
      },
    ]
  }

  append(count: number): void {
    let text = ''
    for (let at = 0; at < count; at += 1) text += `line ${(this.#lines += 1)} grün\n`
    appendFileSync(this.source, text)
  }

  start(): Promise<StandaloneWorker> {
    return startStandalone({
      workerProperties: this.workerProperties,
      connectors: this.connectors,
      ports,
      onEvent: (event) => this.events.push(event),
    })
  }

  /** The sink file once it has the last line of the source file. */
  async copied(): Promise<string> {
    const last = `line ${this.#lines} grün\n`
    const sunk = (): string => (existsSync(this.sink) ? readFileSync(this.sink, 'utf8') : '')
    const state = (): string =>
      `it ends with ${sunk().slice(-30)}; ${this.events.map(({ message }) => message).join('; ')}`
    await until({ what: last.trim(), timeoutMs: 40_000, state }, () => sunk().endsWith(last))
    return sunk()
  }

  files(more: Record<string, string> = {}): readonly string[] {
    const named = [{ ...this.workerProperties, ...more }, ...this.connectors]
    return named.map((properties, at) => {
      const path = join(this.#directory, `${at}.properties`)
      const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
      writeFileSync(path, lines.join(''))
      return path
    })
  }
}

/** The command as a process. */
class Command {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  out = ''
  err = ''

  constructor(files: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, 'connect-standalone', ...files], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout!.on('data', (text: Buffer) => (this.out += text.toString()))
    this.child.stderr!.on('data', (text: Buffer) => (this.err += text.toString()))
    this.ended = new Promise((resolve) => this.child.once('close', resolve))
  }

  says(text: string): Promise<boolean> {
    const state = (): string => `it said: ${this.out}${this.err}`
    return until({ what: text, timeoutMs: 30_000, state }, () => this.out.includes(text))
  }

  stop(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal)
    return this.ended
  }
}

async function withTopic(cluster: Cluster): Promise<Client> {
  const client = createClient({ bootstrapServers: cluster.bootstrapServers, ports })
  const replicationFactor = cluster.brokers.length
  await client.admin().createTopics([{ name: TOPIC, partitions: 1, replicationFactor }])
  return client
}

describe('a standalone worker', () => {
  it('copies 5,000 lines, and goes on where it was in its next life', async () => {
    await using cluster = await startCluster()
    const client = await withTopic(cluster)
    const pipeline = new Pipeline(cluster.bootstrapServers)
    pipeline.append(5000)
    const first = await pipeline.start()
    expect(await pipeline.copied()).toBe(readFileSync(pipeline.source, 'utf8'))
    expect(first.status()).toMatchObject([
      { connector: 'file-source', kind: 'source', tasks: [{ task: 0, state: 'RUNNING' }] },
      { connector: 'file-sink', kind: 'sink', tasks: [{ task: 0, state: 'RUNNING' }] },
    ])
    const beganMs = performance.now()
    await first.stop()
    await first.stop()
    expect(performance.now() - beganMs).toBeLessThan(900)

    pipeline.append(1000)
    const second = await pipeline.start()
    expect(await pipeline.copied()).toBe(readFileSync(pipeline.source, 'utf8'))
    await second.stop()
    const told = pipeline.events.filter(({ kind }) => kind === 'connector.running')
    expect(
      told
        .map(({ message }) => message)
        .slice(0, 2)
        .sort(),
    ).toEqual(['connector file-sink: 1 task running', 'connector file-source: 1 task running'])
    expect(pipeline.events.filter(({ level }) => level !== 'info')).toEqual([])
    await client.close()
  })

  it('loses, doubles and moves no line when the leader dies', async () => {
    await using cluster = await startCluster({
      brokers: 3,
      properties: { 'min.insync.replicas': '2' },
    })
    const client = await withTopic(cluster)
    const pipeline = new Pipeline(cluster.bootstrapServers)
    pipeline.append(2000)
    const worker = await pipeline.start()
    for (let round = 0; round < 2; round += 1) {
      const { partitions } = await client.producer().partitionsFor(TOPIC)
      const leader = cluster.broker(partitions[0]!.leader)
      const growing = setInterval(() => pipeline.append(50), 20)
      await until({ what: 'some lines', timeoutMs: 5000 }, () => existsSync(pipeline.sink))
      await leader.kill()
      await until({ what: 'a new leader', timeoutMs: 20_000, everyMs: 100 }, async () => {
        const { partitions } = await client.producer().partitionsFor(TOPIC)
        return partitions[0]!.leader !== leader.id && partitions[0]!.leader >= 0
      })
      clearInterval(growing)
      expect(await pipeline.copied()).toBe(readFileSync(pipeline.source, 'utf8'))
      await leader.start()
    }
    await worker.stop()
    await client.close()
  })

  it('lets one task fail without the others', async () => {
    await using cluster = await startCluster()
    const client = await withTopic(cluster)
    const pipeline = new Pipeline(cluster.bootstrapServers)
    const producer = client.producer()
    await producer.send({ topic: TOPIC, value: '{no json' })
    const worker = await pipeline.start()
    const state = (): string => JSON.stringify(worker.status())
    await until({ what: 'the failure', timeoutMs: 10_000, state }, () =>
      pipeline.events.some(({ kind }) => kind === 'task.failed'),
    )
    expect(worker.status().map(({ tasks }) => tasks[0]!.state)).toEqual(['RUNNING', 'FAILED'])
    expect(worker.status()[1]!.tasks[0]!.reason).toContain('stage VALUE_CONVERTER')
    await worker.stop()
    await client.close()
  })
})

describe('kafkette connect-standalone', () => {
  it('runs unchanged files, survives SIGKILL and stops on SIGTERM', async () => {
    await using cluster = await startCluster()
    const client = await withTopic(cluster)
    const pipeline = new Pipeline(cluster.bootstrapServers)
    pipeline.append(3000)
    // Kafka waits for the session of a killed member too; six seconds is the least that a broker takes.
    const files = pipeline.files({
      'consumer.session.timeout.ms': '6000',
      'ofset.flush.interval.ms': '1',
    })
    const first = new Command(files)
    await first.says('connector file-sink: 1 task running')
    await pipeline.copied()
    await until({ what: 'stored offsets', timeoutMs: 5000 }, () =>
      existsSync(pipeline.workerProperties['offset.storage.file.filename']!),
    )
    await first.stop('SIGKILL')
    expect(first.err).toContain(
      'unknown worker setting "ofset.flush.interval.ms" (did you mean "offset.flush.interval.ms"?)',
    )
    pipeline.append(500)
    const second = new Command(files)
    await second.says('connector file-source: 1 task running')
    const lines = (await pipeline.copied()).split('\n')
    const source = readFileSync(pipeline.source, 'utf8').split('\n')
    // At least once: what was copied after the last commit may be there twice, but nothing is missing.
    expect([...new Set(lines)]).toEqual([...new Set(source)])
    expect(await second.stop('SIGTERM')).toBe(0)
    expect(second.out).toContain('stopped')
    await client.close()
  })

  it('ends with the exit codes of Kafka and one line that says why', async () => {
    await using cluster = await startCluster()
    const pipeline = new Pipeline(cluster.bootstrapServers)
    const [worker, source, sink] = pipeline.files()
    const wrong = (changes: Record<string, string>): string => {
      const path = join(root, `wrong-${Object.keys(changes).join()}.properties`)
      const old = readFileSync(source!, 'utf8')
      const lines = Object.entries(changes).map(([name, value]) => `${name}=${value}\n`)
      writeFileSync(path, `${old}${lines.join('')}`)
      return path
    }
    const badWorker = join(root, 'bad-worker.properties')
    writeFileSync(badWorker, `${readFileSync(worker!, 'utf8')}value.converter=NoSuchConverter\n`)
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [[], 1, 'usage: kafkette connect-standalone'],
      [['--nonsense'], 1, 'unknown option "--nonsense"'],
      [['/no/such/worker.properties'], 2, 'cannot read /no/such/worker.properties'],
      [[badWorker, source!], 2, 'value.converter is "NoSuchConverter"'],
      [[worker!, '/no/such/connector.properties'], 3, 'cannot read /no/such/connector.properties'],
      [[worker!, wrong({ 'connector.class': 'Nothing' })], 3, 'connector.class is "Nothing"'],
      [[worker!, wrong({ topic: '' })], 3, 'connector "file-source"'],
      [[worker!, sink!, sink!], 3, 'is there already'],
    ]
    const results = await Promise.all(
      cases.map(async ([files, code, text]) => {
        const command = new Command(files)
        return { code, text, ended: await command.ended, err: command.err }
      }),
    )
    for (const { code, text, ended, err } of results) {
      expect([ended, err]).toEqual([code, expect.stringContaining(text)])
      expect(err.trim().split('\n').length).toBeLessThanOrEqual(2)
      expect(err).not.toContain('    at ')
    }
  })
})
