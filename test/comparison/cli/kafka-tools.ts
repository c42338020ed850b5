import { execFile } from 'node:child_process'
import type { ToolOutcome } from '../../support/tool-run.ts'

/** The main classes behind the scripts of Apache Kafka. */
export const KAFKA_TOOLS = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  'metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
} as const

export type ToolName = keyof typeof KAFKA_TOOLS

export interface KafkaRuntime {
  readonly java: string
  /** Directory of the jars. */
  readonly jars: string
}

const TIMEOUT_MS = 100_000
const MAX_OUTPUT_BYTES = 10_000_000
const JVM_FLAGS = [
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
]

/** Runs a tool of Apache Kafka to its end. */
export function runKafkaTool(
  { java, jars }: KafkaRuntime,
  tool: ToolName,
  line: string,
): Promise<ToolOutcome> {
  const words = line.split(' ').filter((word) => word !== '')
  const parameters = [...JVM_FLAGS, '-cp', `${jars}/*`, KAFKA_TOOLS[tool], ...words]
  return new Promise((resolve, reject) => {
    execFile(
      java,
      parameters,
      { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, out, err) => {
        if (error !== null && typeof error.code !== 'number') return reject(error)
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
      },
    )
  })
}
