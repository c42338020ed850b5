import { PROFILES } from './plan.ts'
import {
  anyText,
  byKind,
  fields,
  flag,
  int,
  list,
  oneOf,
  record,
  refuse,
  text,
  type Shape,
} from './shape.ts'

const MAX_NODES = 15
const MAX_PARTITIONS = 1000
const MAX_MS = 86_400_000

const partitions = list(int(0, MAX_PARTITIONS), 1)
const everyMs = int(1, MAX_MS)
const kind = text

const network = fields({
  minUs: int(0),
  maxUs: int(0),
  tailPermille: int(0, 1000),
  tailFactor: int(1),
  cutPermille: int(0, 1000),
})

const disk = fields({
  fsyncMinUs: int(0),
  fsyncMaxUs: int(0),
  tailPermille: int(0, 1000),
  tailFactor: int(1),
})

const cluster = fields({
  layout: oneOf(['separate', 'combined']),
  brokers: int(1, MAX_NODES),
  controllers: int(1, MAX_NODES),
  properties: record(anyText),
  network,
  disk,
})

const topic = fields({
  name: text,
  partitions: int(1, MAX_PARTITIONS),
  replicationFactor: int(1, MAX_NODES),
  configs: record(anyText),
})

const workload = byKind({
  producer: fields(
    {
      kind,
      name: text,
      topic: text,
      partitions,
      acks: oneOf([-1, 0, 1]),
      idempotent: flag,
      inFlight: int(1, 5),
      everyMs,
      batchRecords: int(1),
      valueBytes: int(0),
      compression: oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
      keys: int(0),
      requestTimeoutMs: int(1, MAX_MS),
    },
    { probes: flag },
  ),
  reader: fields({
    kind,
    name: text,
    topic: text,
    partitions,
    isolation: oneOf(['read_uncommitted', 'read_committed']),
    everyMs,
  }),
  'offsets-watcher': fields({ kind, name: text, topic: text, partitions, everyMs }),
  group: fields({
    kind,
    name: text,
    groupId: text,
    topic: text,
    members: int(1, 100),
    assignor: oneOf(['range', 'roundrobin', 'cooperative-sticky']),
    commit: oneOf(['after-processing', 'before-processing']),
    commitEveryMs: int(1, MAX_MS),
    sessionTimeoutMs: int(1, MAX_MS),
    isStatic: flag,
    churnEveryMs: int(0, MAX_MS),
  }),
  admin: fields({ kind, name: text, everyMs }),
  connect: fields({ kind, name: text, topic: text, tasks: int(1, 100), everyMs }),
  kafkajs: fields({
    kind,
    name: text,
    topic: text,
    partitions,
    groupId: text,
    members: int(0, 100),
    idempotent: flag,
    everyMs,
  }),
})

const param: Shape = (value, path) => {
  const isFine = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  if (!isFine) refuse(path, 'a number, a text, true or false', value)
}

const fault = fields(
  { atMs: int(0, MAX_MS), kind: anyText, target: anyText },
  {
    untilMs: int(0, MAX_MS),
    params: record(param),
    atProbe: fields({ name: text, hit: int(1) }),
  },
)

/** What a plan looks like, before its parts are held against each other. */
export const planShape = fields({
  name: text,
  seed: int(0),
  profile: oneOf(PROFILES),
  cluster,
  topics: list(topic),
  workload: list(workload),
  faults: list(fault),
  chaosMs: int(0, MAX_MS),
  healLimitMs: int(1, MAX_MS),
})
