// Kafka's command-line tools against our own cluster over real sockets. What they print was compared with Apache Kafka's
// tools line by line (test/comparison/cli); here it is held that it comes out of our brokers too.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCluster } from '../../../src/cli/commands/cluster.ts'
import { configsTool } from '../../../src/cli/commands/configs.ts'
import { deleteRecordsTool } from '../../../src/cli/commands/delete-records.ts'
import { getOffsetsTool } from '../../../src/cli/commands/get-offsets.ts'
import { leaderElectionTool } from '../../../src/cli/commands/leader-election.ts'
import { logDirsTool } from '../../../src/cli/commands/log-dirs.ts'
import { runMetadataQuorum } from '../../../src/cli/commands/metadata-quorum.ts'
import { reassignPartitionsTool } from '../../../src/cli/commands/reassign-partitions.ts'
import { topicsTool } from '../../../src/cli/commands/topics.ts'
import type { KafkaTool } from '../../../src/cli/kafka-tool.ts'
import { createClient } from '../../../src/client/index.ts'
import { startCluster, type Cluster } from '../../../src/index.ts'
import { NodeClock } from '../../../src/real/node-clock.ts'
import { NodeNetwork } from '../../../src/real/node-network.ts'
import { NodeRandom } from '../../../src/real/node-random.ts'
import { until } from '../../../scenarios/lib/until.ts'
import { kafkette } from '../../support/cli-process.ts'
import { isServed, runLine, runWith, type ToolOutcome } from '../../support/tool-run.ts'

const RECORDS = 3
const WAIT_MS = 20_000
const directory = mkdtempSync(join(tmpdir(), 'kafkette-tools-'))
let cluster: Cluster

function run(tool: KafkaTool, line: string): Promise<ToolOutcome> {
  return runLine(tool, `--bootstrap-server ${cluster.bootstrapServers} ${line}`)
}

/** What a broker has not heard of yet it does not show: the question is asked until the answer fits. */
async function shown(tool: KafkaTool, line: string, expected: string | RegExp): Promise<string> {
  let out = ''
  const state = (): string => out
  await until({ what: `${expected}`, timeoutMs: WAIT_MS, state }, async () => {
    ;({ out } = await run(tool, line))
    return typeof expected === 'string' ? out === expected : expected.test(out)
  })
  return out
}

function file(name: string, value: unknown): string {
  const path = join(directory, name)
  writeFileSync(path, JSON.stringify(value))
  return path
}

async function produce(topic: string): Promise<void> {
  const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }
  const client = createClient({ bootstrapServers: cluster.bootstrapServers, ports })
  const producer = client.producer()
  for (let at = 0; at < RECORDS; at += 1) {
    await producer.send({ topic, partition: 0, key: null, value: `v${at}` })
  }
  await client.close()
}

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, storage: 'disk' })
})

afterAll(async () => {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('kafkette topics', () => {
  it('creates, lists, describes, alters and deletes', async () => {
    const created = await run(
      topicsTool,
      '--create --topic plain --partitions 2 --config retention.ms=5000',
    )
    expect(created).toEqual({ code: 0, out: 'Created topic plain.\n', err: '' })
    const again = await run(topicsTool, '--create --topic plain')
    expect(again).toEqual({
      code: 1,
      out: "Error while executing topic command : Topic 'plain' already exists.\n",
      err: '',
    })
    expect(await run(topicsTool, '--create --topic plain --if-not-exists')).toMatchObject({
      code: 0,
      out: '',
    })
    await shown(topicsTool, '--list --topic pl.*', 'plain\n')
    const described = await shown(topicsTool, '--describe --topic plain', /Partition: 1/)
    const lines = described.split('\n')
    expect(lines[0]).toMatch(
      /^Topic: plain\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: \d\tConfigs: .*retention.ms=5000/,
    )
    expect(lines[1]).toMatch(
      /^\tTopic: plain\tPartition: 0\tLeader: (\d)\tReplicas: \1.*\tIsr: \1.*\tElr: .*\tLastKnownElr: /,
    )
    expect(lines).toHaveLength(4)
    expect((await run(topicsTool, '--alter --topic plain --partitions 3')).code).toBe(0)
    await shown(topicsTool, '--describe --topic plain', /PartitionCount: 3/)
    expect((await run(topicsTool, '--delete --topic plain')).code).toBe(0)
    await shown(
      topicsTool,
      '--describe --topic plain',
      "Error while executing topic command : Topic 'plain' does not exist as expected\n",
    )
  })

  it('places replicas as they are named', async () => {
    await run(topicsTool, '--create --topic placed --replica-assignment 1:2,3:1')
    const out = await shown(topicsTool, '--describe --topic placed', /Partition: 1/)
    expect(out).toMatch(/Partition: 0\tLeader: 1\tReplicas: 1,2\t/)
    expect(out).toMatch(/Partition: 1\tLeader: 3\tReplicas: 3,1\t/)
    expect((await run(topicsTool, '--describe --under-replicated-partitions')).out).toBe('')
  })

  it('runs as a process with the same answers and exit codes', async () => {
    const servers = cluster.bootstrapServers
    const listed = await kafkette(
      'topics',
      '--bootstrap-server',
      servers,
      '--list',
      '--topic',
      'none',
    ).end()
    expect(listed).toMatchObject({ code: 0, stdout: '\n', stderr: '' })
    const wrong = await kafkette(
      'topics',
      '--bootstrap-server',
      servers,
      '--list',
      '--describe',
    ).end()
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toMatch(
      /^Command must include exactly one action: .*\nOption +Description\n/,
    )
    const version = await kafkette('topics', '--version').end()
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  it('says in time that there is no cluster, and why', async () => {
    const properties = join(directory, 'short.properties')
    writeFileSync(properties, 'default.api.timeout.ms=300\nrequest.timeout.ms=200\n')
    const line = `--bootstrap-server 127.0.0.1:1 --list --command-config ${properties}`
    const { code, out, err } = await runLine(topicsTool, line)
    expect({ code, out }).toEqual({
      code: 1,
      out: 'Error while executing topic command : Timed out waiting for a node assignment. Call: listTopics\n',
    })
    expect(err).toMatch(/127\.0\.0\.1:1/)
  })
})

describe('kafkette configs', () => {
  it('sets, shows and removes settings of a topic', async () => {
    await run(topicsTool, '--create --topic conf')
    const set = await run(
      configsTool,
      '--alter --topic conf --add-config retention.ms=5000,cleanup.policy=[compact,delete]',
    )
    expect(set).toEqual({ code: 0, out: 'Completed updating config for topic conf.\n', err: '' })
    const out = await shown(configsTool, '--describe --topic conf', /retention/)
    expect(out.split('\n').slice(0, 2)).toEqual([
      'Dynamic configs for topic conf are:',
      '  cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, ' +
        'DEFAULT_CONFIG:log.cleanup.policy=delete}',
    ])
    await run(configsTool, '--alter --topic conf --delete-config retention.ms,cleanup.policy')
    await shown(configsTool, '--describe --topic conf', 'Dynamic configs for topic conf are:\n')
  })

  it('tells what a broker refuses with the class that Kafka names', async () => {
    const { code, err } = await run(configsTool, '--alter --topic conf --add-config nope=1')
    expect(code).toBe(1)
    expect(err).toBe(
      `Error while executing config command with args '--bootstrap-server ${cluster.bootstrapServers} ` +
        `--alter --topic conf --add-config nope=1'\n` +
        'java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: ' +
        'Unknown topic config name: nope\n',
    )
  })

  it('tells what is not there', async () => {
    expect((await run(configsTool, '--describe --topic none')).out).toBe(
      "The topic 'none' doesn't exist and doesn't have dynamic config.\n",
    )
    expect((await run(configsTool, '--describe --broker 9')).out).toBe(
      "The broker '9' doesn't exist and doesn't have dynamic config.\n",
    )
  })

  it('shows all settings of a broker', async () => {
    const { out } = await run(configsTool, '--describe --broker 2 --all')
    expect(out).toMatch(/^All configs for broker 2 are:\n/)
    expect(out).toMatch(
      /\n  node\.id=2 sensitive=false synonyms=\{STATIC_BROKER_CONFIG:node\.id=2\}\n/,
    )
  })

  it.skipIf(!isServed(48))('sets and shows quotas', async () => {
    await run(configsTool, '--alter --user alice --client app --add-config producer_byte_rate=1024')
    await shown(
      configsTool,
      '--describe --user alice --client app',
      "Quota configs for user-principal 'alice', client-id 'app' are producer_byte_rate=1024.0\n",
    )
  })
})

describe('kafkette get-offsets', () => {
  it('shows first, last and sought offsets', async () => {
    await run(topicsTool, '--create --topic counted --partitions 2')
    await produce('counted')
    await shown(getOffsetsTool, '--topic counted', `counted:0:${RECORDS}\ncounted:1:0\n`)
    expect((await run(getOffsetsTool, '--topic counted --time earliest')).out).toBe(
      'counted:0:0\ncounted:1:0\n',
    )
    expect((await run(getOffsetsTool, '--topic-partitions counted:0 --time 1')).out).toBe(
      'counted:0:0\n',
    )
    expect(await run(getOffsetsTool, '--topic none')).toEqual({
      code: 1,
      out: '',
      err: 'Error occurred: Could not match any topic-partitions with the specified filters\n',
    })
  })
})

describe('kafkette cluster', () => {
  it('shows id and nodes', async () => {
    const [first] = cluster.bootstrapServers.split(',')
    expect(await runWith(runCluster, `cluster-id -b ${first}`)).toEqual({
      code: 0,
      out: `Cluster ID: ${cluster.clusterId}\n`,
      err: '',
    })
    const { out } = await runWith(runCluster, `list-endpoints --bootstrap-server ${first}`)
    const [broker] = cluster.brokers
    const rows = out.split('\n').map((line) => line.trim().split(/ +/))
    expect(rows[0]).toEqual(['ID', 'HOST', 'PORT', 'RACK', 'STATE', 'ENDPOINT_TYPE'])
    expect(rows[1]).toEqual(['1', broker!.host, `${broker!.port}`, 'null', 'unfenced', 'broker'])
    expect(rows).toHaveLength(5)
  })

  it('refuses to unregister a broker that is not there', async () => {
    const line = `unregister --bootstrap-server ${cluster.bootstrapServers} --id 99`
    const { code, err } = await runWith(runCluster, line)
    expect(code).toBe(1)
    expect(err).toMatch(/^org\.apache\.kafka\.common\.errors\.BrokerIdNotRegisteredException: /)
  })
})

describe('kafkette metadata-quorum', () => {
  it('shows status and replication', async () => {
    const servers = `--bootstrap-server ${cluster.bootstrapServers}`
    const status = await runWith(runMetadataQuorum, `${servers} describe --status`)
    expect(status.code).toBe(0)
    expect(status.out).toMatch(
      new RegExp(
        `^ClusterId: {14}${cluster.clusterId}\nLeaderId: {15}\\d\nLeaderEpoch: {12}\\d+\nHighWatermark: {10}\\d+\n` +
          'MaxFollowerLag: {9}\\d+\nMaxFollowerLagTimeMs: {3}-?\\d+\nCurrentVoters: {10}\\[\\{"id": 1, .*\\}\\]\n' +
          'CurrentObservers: {7}\\[.*\\]\n$',
      ),
    )
    const replication = await runWith(
      runMetadataQuorum,
      `${servers} describe --replication --human-readable`,
    )
    const rows = replication.out
      .trim()
      .split('\n')
      .map((line) => line.split('\t').map((cell) => cell.trim()))
    expect(rows).toHaveLength(4)
    expect(rows[1]).toMatchObject({ 3: '0', 6: 'Leader' })
    expect(rows[2]![6]).toBe('Follower')
  })
})

describe('kafkette leader-election', () => {
  it('elects, leaves alone what is well, and tells what is not there', async () => {
    await run(topicsTool, '--create --topic led --replica-assignment 2:1:3')
    const line = '--election-type preferred --topic led --partition 0'
    expect(await run(leaderElectionTool, line)).toEqual({
      code: 0,
      out: 'Valid replica already elected for partitions led-0\n',
      err: '',
    })
    await cluster.brokers[1]!.kill()
    await shown(topicsTool, '--describe --topic led', /Leader: 1/)
    await cluster.brokers[1]!.start()
    await shown(topicsTool, '--describe --topic led', /Isr: 1,3,2/)
    const elected = await run(
      leaderElectionTool,
      '--election-type preferred --all-topic-partitions',
    )
    expect(elected.out).toMatch(
      /^Successfully completed leader election \(PREFERRED\) for partitions .*\bled-0\b/,
    )
    const failed = await run(
      leaderElectionTool,
      '--election-type preferred --topic none --partition 0',
    )
    expect(failed.code).toBe(1)
    expect(failed.out).toMatch(
      /^Error completing leader election \(PREFERRED\) for partition: none-0: org\.apache\.kafka\.common\.errors\.UnknownTopicOrPartitionException: /,
    )
    expect(failed.err).toBe('1 replica(s) could not be elected\n')
  })
})

describe.skipIf(!isServed(21))('kafkette delete-records', () => {
  it('moves the first offset', async () => {
    await run(topicsTool, '--create --topic cut')
    await produce('cut')
    const partitions = [{ topic: 'cut', partition: 0, offset: 2 }]
    const path = file('cut.json', { partitions, version: 1 })
    expect(await run(deleteRecordsTool, `--offset-json-file ${path}`)).toEqual({
      code: 0,
      out:
        'Executing records delete operation\nRecords delete operation completed:\n' +
        'partition: cut-0\tlow_watermark: 2\n',
      err: '',
    })
    expect((await run(getOffsetsTool, '--topic cut --time -2')).out).toBe('cut:0:2\n')
  })
})

describe.skipIf(!isServed(35))('kafkette log-dirs', () => {
  it('shows the partitions of a topic', async () => {
    await run(topicsTool, '--create --topic kept --replica-assignment 1:2')
    await produce('kept')
    const { code, out } = await run(logDirsTool, '--describe --topic-list kept --broker-list 1,3')
    expect(code).toBe(0)
    const [asking, received, json] = out.split('\n')
    expect([asking, received]).toEqual([
      'Querying brokers for log directories information',
      'Received log directory information from brokers 1,3',
    ])
    const { version, brokers } = JSON.parse(json!) as {
      version: number
      brokers: { broker: number; logDirs: { error: null; partitions: object[] }[] }[]
    }
    expect([version, brokers.map(({ broker }) => broker)]).toEqual([1, [1, 3]])
    expect(brokers[0]!.logDirs[0]!.partitions).toEqual([
      { partition: 'kept-0', size: expect.any(Number), offsetLag: 0, isFuture: false },
    ])
    expect(brokers[1]!.logDirs[0]!.partitions).toEqual([])
  })
})

describe.skipIf(!isServed(45) || !isServed(35))('kafkette reassign-partitions', () => {
  it('proposes, executes and verifies a move', async () => {
    await run(topicsTool, '--create --topic moved --replica-assignment 1:2')
    await produce('moved')
    const topics = file('topics.json', { topics: [{ topic: 'moved' }], version: 1 })
    const proposed = await run(
      reassignPartitionsTool,
      `--generate --topics-to-move-json-file ${topics} --broker-list 1,2,3`,
    )
    expect(proposed.out).toMatch(
      /^Current partition replica assignment\n\{"version":1,.*"replicas":\[1,2\],"log_dirs":\["\/.*\n\nProposed partition reassignment configuration\n\{"version":1,/,
    )
    const partitions = [{ topic: 'moved', partition: 0, replicas: [3, 2] }]
    const path = file('moved.json', { partitions, version: 1 })
    const started = await run(reassignPartitionsTool, `--execute --reassignment-json-file ${path}`)
    expect(started.code).toBe(0)
    expect(started.out).toMatch(/\nSuccessfully started partition reassignment for moved-0\n$/)
    await shown(
      reassignPartitionsTool,
      `--verify --reassignment-json-file ${path}`,
      /Reassignment of partition moved-0 is completed\.\n/,
    )
    expect((await run(reassignPartitionsTool, '--list')).out).toBe(
      'No partition reassignments found.\n',
    )
    await shown(topicsTool, '--describe --topic moved', /Replicas: 3,2\t/)
  })
})
