import type { Profile, TopicPlan } from '../plan/plan.ts'
import type {
  ConnectPlan,
  GroupPlan,
  KafkajsPlan,
  ProducerPlan,
  ReaderPlan,
  WorkloadPlan,
} from '../plan/workload-plan.ts'
import type { Draw } from './draw.ts'
import type { SizeRule } from './swarm-size.ts'
import { keepsRecords, RECREATED_TOPIC, segmentBytesOf } from './topics-of-seed.ts'

/** Profiles whose seeds may have kafkajs among their clients; of all seeds it is about one in ten. */
const KAFKAJS_PROFILES: ReadonlySet<Profile> = new Set<Profile>(['data', 'groups'])
const KAFKAJS_PERMILLE = 150
const BATCH_RECORDS: Weights = [
  [1, 50],
  [3, 25],
  [10, 20],
  [60, 5],
]
/** What a record and a batch take besides the value, at most. */
const RECORD_OVERHEAD_BYTES = 64
const BATCH_OVERHEAD_BYTES = 128

type Weights = readonly (readonly [number, number])[]

/** The clients of a seed. */
export function workloadOfSeed(
  draw: Draw,
  profile: Profile,
  topics: readonly TopicPlan[],
  rule: SizeRule,
): readonly WorkloadPlan[] {
  const lasting = topics.filter(({ name }) => name !== RECREATED_TOPIC)
  const pickTopic = (label: string): TopicPlan => draw.pick(`topic of ${label}`, lasting)
  const plans: WorkloadPlan[] = []
  const counts = countsOf(draw.part('counts'), profile, rule)
  for (let index = 1; index <= counts.producers; index += 1) {
    const name = `producer-${index}`
    plans.push(producerOf(draw.part(name), name, pickTopic(name), rule))
  }
  for (let index = 1; index <= counts.readers; index += 1) {
    const name = `reader-${index}`
    plans.push(readerOf(draw.part(name), name, pickTopic(name), rule))
  }
  for (let index = 1; index <= counts.groups; index += 1) {
    const name = `group-${index}`
    plans.push(groupOf(draw.part(name), name, pickTopic(name)))
  }
  if (counts.watchers > 0) {
    const topic = pickTopic('watcher')
    const everyMs = draw.pick('watcher every', [100, 300, 1000])
    const partitions = allPartitions(topic)
    plans.push({ kind: 'offsets-watcher', name: 'watcher', topic: topic.name, partitions, everyMs })
  }
  for (let index = 1; index <= counts.admins; index += 1) {
    const name = `admin-${index}`
    plans.push({ kind: 'admin', name, everyMs: draw.pick(`${name} every`, [100, 400, 1500]) })
  }
  if (counts.connects > 0) {
    // What is said of its lines is said of all of them.
    const topic = draw.pick('topic of connect', lasting.filter(keepsRecords))
    plans.push(connectOf(draw.part('connect'), topic))
  }
  const recreated = topics.find(({ name }) => name === RECREATED_TOPIC)
  if (recreated !== undefined) {
    plans.push(producerOf(draw.part('producer-r'), 'producer-r', recreated, rule))
  }
  if (KAFKAJS_PROFILES.has(profile) && draw.chance('kafkajs', KAFKAJS_PERMILLE)) {
    plans.push(kafkajsOf(draw.part('kafkajs'), pickTopic('kafkajs')))
  }
  return plans
}

interface Counts {
  readonly producers: number
  readonly readers: number
  readonly groups: number
  readonly watchers: number
  readonly admins: number
  readonly connects: number
}

function countsOf(draw: Draw, profile: Profile, { maxProducers }: SizeRule): Counts {
  const some = (label: string, permille: number): number => (draw.chance(label, permille) ? 1 : 0)
  const connects = profile === 'connect' ? 1 : 0
  switch (profile) {
    case 'data':
      return {
        producers: draw.between('producers', 1, maxProducers),
        readers: draw.between('readers', 1, 2),
        groups: some('groups', 150),
        watchers: some('watchers', 500),
        admins: some('admins', 200),
        connects,
      }
    case 'groups':
      return {
        producers: draw.between('producers', 1, 2),
        readers: some('readers', 300),
        groups: draw.between('groups', 1, 2),
        watchers: some('watchers', 100),
        admins: some('admins', 150),
        connects,
      }
    case 'quorum':
      return {
        producers: draw.between('producers', 1, 2),
        readers: some('readers', 300),
        groups: 0,
        watchers: some('watchers', 100),
        admins: draw.between('admins', 1, 2),
        connects,
      }
    case 'connect':
    case 'transactions':
      return { producers: 1, readers: 1, groups: 0, watchers: 0, admins: 0, connects }
  }
}

function producerOf(
  draw: Draw,
  name: string,
  topic: TopicPlan,
  { producerEveryMs }: SizeRule,
): ProducerPlan {
  const acks = draw.weighted('acks', [
    [-1 as const, 75],
    [1 as const, 17],
    [0 as const, 8],
  ])
  const idempotent = acks === -1 && draw.chance('idempotent', 700)
  const valueBytes = draw.pick('value', [16, 16, 100, 800])
  const roomBytes = segmentBytesOf(topic) - BATCH_OVERHEAD_BYTES
  // A batch that is larger than a segment is refused, and then nothing would be tested.
  const mostRecords = Math.max(1, Math.floor(roomBytes / (valueBytes + RECORD_OVERHEAD_BYTES)))
  return {
    kind: 'producer',
    name,
    topic: topic.name,
    partitions: partitionsOf(draw, topic),
    acks,
    idempotent,
    inFlight: draw.pick('in flight', [1, 2, 5, 5]),
    everyMs: draw.weighted('every', producerEveryMs),
    batchRecords: Math.min(mostRecords, draw.weighted('batch', BATCH_RECORDS)),
    valueBytes,
    compression: draw.weighted('compression', [
      ['none' as const, 60],
      ['gzip' as const, 10],
      ['snappy' as const, 10],
      ['lz4' as const, 10],
      ['zstd' as const, 10],
    ]),
    keys: draw.pick('keys', [0, 1, 10]),
    requestTimeoutMs: draw.pick('timeout', [150, 800, 3000]),
    ...(idempotent && draw.chance('probes', 400) && { probes: true }),
  }
}

function readerOf(
  draw: Draw,
  name: string,
  topic: TopicPlan,
  { readerEveryMs }: SizeRule,
): ReaderPlan {
  return {
    kind: 'reader',
    name,
    topic: topic.name,
    partitions: partitionsOf(draw, topic),
    isolation: draw.pick('isolation', ['read_uncommitted', 'read_committed'] as const),
    everyMs: draw.weighted('every', readerEveryMs),
  }
}

function groupOf(draw: Draw, name: string, topic: TopicPlan): GroupPlan {
  return {
    kind: 'group',
    name,
    groupId: name,
    topic: topic.name,
    members: draw.between('members', 1, 4),
    assignor: draw.pick('assignor', ['range', 'roundrobin', 'cooperative-sticky'] as const),
    commit: draw.weighted('commit', [
      ['after-processing' as const, 80],
      ['before-processing' as const, 20],
    ]),
    commitEveryMs: draw.pick('commit every', [50, 200, 1000]),
    sessionTimeoutMs: draw.pick('session', [600, 1500, 4000]),
    isStatic: draw.chance('static', 250),
    churnEveryMs: draw.pick('churn', [0, 0, 700, 3000]),
  }
}

function connectOf(draw: Draw, topic: TopicPlan): ConnectPlan {
  return {
    kind: 'connect',
    name: 'connect',
    topic: topic.name,
    tasks: draw.between('tasks', 1, 3),
    everyMs: draw.pick('every', [50, 200]),
  }
}

function kafkajsOf(draw: Draw, topic: TopicPlan): KafkajsPlan {
  return {
    kind: 'kafkajs',
    name: 'kafkajs',
    topic: topic.name,
    partitions: allPartitions(topic),
    groupId: 'kafkajs',
    members: draw.between('members', 1, 2),
    idempotent: draw.chance('idempotent', 500),
    everyMs: draw.pick('every', [100, 300]),
  }
}

/** All partitions of the topic, sometimes only one: a hot one. */
function partitionsOf(draw: Draw, topic: TopicPlan): readonly number[] {
  const all = allPartitions(topic)
  return draw.chance('one partition', 200) ? [draw.pick('the partition', all)] : all
}

function allPartitions({ partitions }: TopicPlan): readonly number[] {
  return Array.from({ length: partitions }, (_, index) => index)
}
