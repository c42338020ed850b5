// Goal: our command-line tools print what those of Apache Kafka print, and end with the same code. Method: a cluster of
// Apache Kafka, every command line of cases.ts given to both, and the answers compared (same-words.ts says what is left
// out). Run by `npm run compare:cli`; KAFKETTE_TOOL=topics takes one tool.
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
import { createClient } from '../../../src/client/index.ts'
import { NodeClock } from '../../../src/real/node-clock.ts'
import { NodeNetwork } from '../../../src/real/node-network.ts'
import { NodeRandom } from '../../../src/real/node-random.ts'
import { jarsDirectory } from '../../../tools/apache-kafka/jars.ts'
import { PlainCluster } from '../../../tools/apache-kafka/plain-cluster.ts'
import { findJava, MissingRequirementError } from '../../../tools/apache-kafka/requirements.ts'
import { runLine, runWith, type ToolOutcome } from '../../support/tool-run.ts'
import { CASES, FILES } from './cases.ts'
import { runKafkaTool, type KafkaRuntime, type ToolName } from './kafka-tools.ts'
import { sameWords } from './same-words.ts'

const OURS: Readonly<Record<ToolName, (line: string) => Promise<ToolOutcome>>> = {
  topics: (line) => runLine(topicsTool, line),
  configs: (line) => runLine(configsTool, line),
  'get-offsets': (line) => runLine(getOffsetsTool, line),
  'delete-records': (line) => runLine(deleteRecordsTool, line),
  'log-dirs': (line) => runLine(logDirsTool, line),
  'reassign-partitions': (line) => runLine(reassignPartitionsTool, line),
  'leader-election': (line) => runLine(leaderElectionTool, line),
  cluster: (line) => runWith(runCluster, line),
  'metadata-quorum': (line) => runWith(runMetadataQuorum, line),
}
const NAMES = ['theirs', 'ours'] as const
const RECORDS = 3

const runtime = await findRuntime()
const directory = mkdtempSync(join(tmpdir(), 'kafkette-compare-'))
let cluster: PlainCluster

/** Null, with a line that says what is missing and how to get it. */
async function findRuntime(): Promise<KafkaRuntime | null> {
  try {
    const java = findJava(process.env)
    const jars = await jarsDirectory(process.env, (path) => {
      console.warn(`Maven fetches the jars of Apache Kafka into ${path}, once`)
    })
    return { java, jars }
  } catch (error) {
    if (!(error instanceof MissingRequirementError)) throw error
    console.warn(`skipped: ${error.message}`)
    return null
  }
}

function lineFor(line: string, name: string): string {
  return line
    .replaceAll('{s}', `--bootstrap-server ${cluster.bootstrapServers}`)
    .replaceAll('{b}', cluster.bootstrapServers.split(',')[0]!)
    .replaceAll('{c}', cluster.controllers)
    .replaceAll('{d}', directory)
    .replaceAll('{n}', name)
}

async function prepare(): Promise<void> {
  const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }
  const client = createClient({ bootstrapServers: cluster.bootstrapServers, ports })
  const admin = client.admin()
  const assignments = [
    [1, 2],
    [2, 3],
  ]
  const names = NAMES.flatMap((name) => [`conf-${name}`, `cut-${name}`, `moved-${name}`])
  await admin.createTopics(['counted', ...names].map((name) => ({ name, assignments })))
  const producer = client.producer()
  for (const topic of ['counted', ...NAMES.map((name) => `cut-${name}`)]) {
    for (let at = 0; at < RECORDS; at += 1) {
      await producer.send({ topic, partition: 0, key: null, value: `v${at}` })
    }
  }
  await client.close()
  for (const [file, text] of Object.entries(FILES)) {
    for (const name of NAMES) {
      writeFileSync(join(directory, file.replace('{n}', name)), text(name))
    }
  }
}

const wanted = process.env['KAFKETTE_TOOL']
const tools = (Object.keys(CASES) as ToolName[]).filter((tool) => tool === (wanted ?? tool))

describe.skipIf(runtime === null)('the command-line tools beside those of Apache Kafka', () => {
  beforeAll(async () => {
    cluster = await PlainCluster.start({ ...runtime!, brokers: 3 })
    await prepare()
  })

  afterAll(async () => {
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  describe.each(tools)('%s', (tool) => {
    it.each(CASES[tool])('%s', async (line) => {
      const [theirs, ours] = NAMES
      const kafka = await runKafkaTool(runtime!, tool, lineFor(line, theirs))
      const kafkette = await OURS[tool](lineFor(line, ours))
      expect(sameWords(kafkette, tool, ours)).toEqual(sameWords(kafka, tool, theirs))
    })
  })
})
