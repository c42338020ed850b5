import type { ClusterPlan, TopicPlan } from '../plan/plan.ts'
import type { Draw } from './draw.ts'

/** The topic that most clients use, and the ones that only some plans have. */
export const MAIN_TOPIC = 't'
const SECOND_TOPIC = 'u'
/** Is deleted and created again; nothing else is asked of it. */
export const RECREATED_TOPIC = 'r'
const MAX_REPLICAS = 3
const SECOND_TOPIC_PERMILLE = 250
const UNCLEAN_PERMILLE = 60
/** Of the second topic only: of most plans every record is to be found again. */
const RETENTION_PERMILLE = 500

export interface TopicWishes {
  readonly hasRecreated: boolean
  readonly mayBeUnclean: boolean
}

/** The topics of a seed; the first is the main one. */
export function topicsOfSeed(
  draw: Draw,
  cluster: ClusterPlan,
  wishes: TopicWishes,
): readonly TopicPlan[] {
  const topics = [topicOf(draw.part(MAIN_TOPIC), MAIN_TOPIC, cluster, wishes.mayBeUnclean)]
  if (draw.chance('second', SECOND_TOPIC_PERMILLE)) {
    topics.push(withRetention(draw, topicOf(draw.part(SECOND_TOPIC), SECOND_TOPIC, cluster, false)))
  }
  if (wishes.hasRecreated) {
    topics.push(topicOf(draw.part(RECREATED_TOPIC), RECREATED_TOPIC, cluster, false))
  }
  return topics
}

/** So small that a minute of records needs many segments. */
export function segmentBytesOf(topic: TopicPlan): number {
  return Number(topic.configs['internal.segment.bytes'])
}

/** Whether nothing is ever deleted from the topic. */
export function keepsRecords({ configs }: TopicPlan): boolean {
  return configs['retention.bytes'] === undefined
}

/** Sometimes old segments go while new ones are written. */
function withRetention(draw: Draw, topic: TopicPlan): TopicPlan {
  if (!draw.chance('retention', RETENTION_PERMILLE)) return topic
  const bytes = draw.pick('retention bytes', [1, 3000, 20_000])
  return { ...topic, configs: { ...topic.configs, 'retention.bytes': String(bytes) } }
}

function topicOf(draw: Draw, name: string, cluster: ClusterPlan, mayBeUnclean: boolean): TopicPlan {
  const most = Math.min(MAX_REPLICAS, cluster.brokers)
  const replicationFactor = draw.weighted('replicas', [
    [most, 85],
    [Math.max(1, most - 1), 10],
    [1, 5],
  ])
  // RF and 1 are the ends; the usual choice is one less than RF.
  const minInsync = draw.weighted('min.isr', [
    [Math.max(1, replicationFactor - 1), 60],
    [1, 15],
    [replicationFactor, 25],
  ])
  const isUnclean = mayBeUnclean && draw.chance('unclean', UNCLEAN_PERMILLE)
  return {
    name,
    partitions: draw.between('partitions', 1, 4),
    replicationFactor,
    configs: {
      'min.insync.replicas': String(minInsync),
      'internal.segment.bytes': String(draw.pick('segment', [1024, 4096, 32_768, 1_048_576])),
      ...(draw.chance('append time', 150) && { 'message.timestamp.type': 'LogAppendTime' }),
      ...(isUnclean && { 'unclean.leader.election.enable': 'true' }),
    },
  }
}
