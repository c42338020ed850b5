import type { ClusterPlan, DiskPlan, NetworkPlan, Profile } from '../plan/plan.ts'
import type { Draw } from './draw.ts'
import type { SizeRule } from './swarm-size.ts'

/** Size, layout, time-outs, limits, links and disks of the cluster of a seed. */
export function clusterOfSeed(draw: Draw, profile: Profile, rule: SizeRule): ClusterPlan {
  const brokers = draw.weighted('brokers', rule.brokers)
  const layout = draw.weighted('layout', rule.layouts)
  const table = profile === 'quorum' ? rule.quorumControllers : rule.controllers
  const drawn = draw.weighted('controllers', table)
  return {
    layout,
    brokers,
    controllers: layout === 'combined' ? combinedControllers(drawn, brokers) : drawn,
    properties: propertiesOf(draw.part('properties'), brokers, rule),
    network: networkOf(draw.part('network')),
    disk: diskOf(draw.part('disk')),
  }
}

/** An even number of voters has no more to lose than one less; it is left to the scenarios. */
function combinedControllers(drawn: number, brokers: number): number {
  if (drawn <= brokers) return drawn
  return brokers >= 3 ? 3 : 1
}

function propertiesOf(
  draw: Draw,
  brokers: number,
  rule: SizeRule,
): Readonly<Record<string, string>> {
  const fetchTimeoutMs = draw.pick('quorum fetch', [500, 800, 1500])
  const fetchWaitMs = draw.pick('fetch wait', rule.fetchWaitMs)
  const lagMs = draw.pick('lag', [500, 800, 1500])
  const values: Readonly<Record<string, number | boolean>> = {
    // Of what a broker asks the controller.
    'request.timeout.ms': draw.pick('request timeout', [400, 1000, 30_000]),
    'broker.heartbeat.interval.ms': draw.pick('heartbeat', [100, 200, 300]),
    'broker.session.timeout.ms': draw.pick('session', [600, 900, 1500]),
    'controller.quorum.election.timeout.ms': draw.pick('election', [150, 300, 600]),
    'controller.quorum.election.backoff.max.ms': draw.pick('election backoff', [50, 300, 1000]),
    'controller.quorum.fetch.timeout.ms': fetchTimeoutMs,
    'controller.quorum.request.timeout.ms': draw.pick('quorum request', [400, 800, 1500]),
    'controller.quorum.retry.backoff.ms': draw.pick('quorum retry', [1, 20, 100]),
    'replica.lag.time.max.ms': lagMs,
    'replica.fetch.wait.max.ms': fetchWaitMs,
    'replica.fetch.backoff.ms': draw.pick('fetch backoff', [5, 50, 200]),
    'replica.fetch.max.bytes': draw.pick('fetch bytes', [0, 1, 300, 4096, 1_048_576, 1_048_576]),
    'replica.fetch.response.max.bytes': draw.pick('response bytes', [1, 2000, 10_485_760]),
    // Who waits for more bytes longer than a client waits for its answer lets none of its sends succeed.
    'replica.fetch.min.bytes': fetchWaitMs > 100 ? 1 : draw.pick('fetch min', [1, 100]),
    'replica.socket.timeout.ms': draw.pick('replica socket', [1000, 3000]),
    'replica.high.watermark.checkpoint.interval.ms': draw.pick('checkpoint', [100, 1000, 5000]),
    'log.flush.offset.checkpoint.interval.ms': draw.pick('flush checkpoint', [500, 5000, 60_000]),
    'log.index.interval.bytes': draw.pick('index interval', [0, 1, 200, 4096]),
    'log.retention.check.interval.ms': draw.pick('retention check', [1000, 10_000]),
    'leader.imbalance.check.interval.seconds': draw.pick('imbalance', [1, 5, 300]),
    'group.initial.rebalance.delay.ms': draw.pick('initial rebalance', [0, 100, 1000]),
    'group.min.session.timeout.ms': 500,
    'offsets.topic.replication.factor': Math.min(3, brokers),
    'offsets.topic.num.partitions': draw.between('offsets partitions', 1, 3),
    'offsets.commit.timeout.ms': draw.pick('commit timeout', [500, 2000, 5000]),
    // Of the internal topic too: with 2, a coordinator's append can be refused.
    'min.insync.replicas': Math.min(brokers, draw.pick('min.isr', [1, 2])),
    'auto.create.topics.enable': false,
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

function networkOf(draw: Draw): NetworkPlan {
  const minUs = draw.pick('least', [20, 50, 200, 1000])
  return {
    minUs,
    maxUs: minUs + draw.pick('spread', [0, 200, 1000, 5000]),
    tailPermille: draw.pick('tail', [0, 1, 5, 20]),
    tailFactor: draw.pick('tail factor', [20, 100]),
    cutPermille: draw.pick('cuts', [0, 10, 100, 300]),
  }
}

function diskOf(draw: Draw): DiskPlan {
  const fsyncMinUs = draw.pick('least', [50, 200, 1000])
  return {
    fsyncMinUs,
    fsyncMaxUs: fsyncMinUs + draw.pick('spread', [100, 3000, 20_000]),
    tailPermille: draw.pick('tail', [0, 2, 10]),
    tailFactor: draw.pick('tail factor', [10, 100]),
  }
}
