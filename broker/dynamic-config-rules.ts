/**
 * Which settings of a broker may change while it runs (KIP-226), as Apache Kafka 4.3 tells it: the read-only flag of
 * DescribeConfigs, and what IncrementalAlterConfigs refuses for all brokers.
 */

/** For one broker or for all. The last three came with 4.4, as defaults of topics, which all are of this kind. */
const CLUSTER_WIDE: ReadonlySet<string> = new Set([
  'background.threads',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.type',
  'compression.zstd.level',
  'config.providers',
  'follower.fetch.last.tiered.offset.enable',
  'group.consumer.assignment.interval.ms',
  'group.coordinator.cached.buffer.max.bytes',
  'group.share.assignment.interval.ms',
  'group.streams.assignment.interval.ms',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.delete.retention.ms',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.max.compaction.lag.ms',
  'log.cleaner.min.cleanable.ratio',
  'log.cleaner.min.compaction.lag.ms',
  'log.cleaner.threads',
  'log.cleanup.policy',
  'log.flush.interval.messages',
  'log.flush.interval.ms',
  'log.index.interval.bytes',
  'log.index.size.max.bytes',
  'log.local.retention.bytes',
  'log.local.retention.ms',
  'log.message.timestamp.after.max.ms',
  'log.message.timestamp.before.max.ms',
  'log.message.timestamp.type',
  'log.preallocate',
  'log.retention.bytes',
  'log.retention.ms',
  'log.roll.jitter.ms',
  'log.roll.ms',
  'log.segment.bytes',
  'log.segment.delete.delay.ms',
  'max.connection.creation.rate',
  'max.connections',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'message.max.bytes',
  'metric.reporters',
  'min.insync.replicas',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'producer.id.expiration.ms',
  'remote.fetch.max.wait.ms',
  'remote.list.offsets.request.timeout.ms',
  'remote.log.index.file.cache.total.size.bytes',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.copy.max.bytes.per.second',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.fetch.max.bytes.per.second',
  'remote.log.manager.follower.thread.pool.size',
  'remote.log.reader.threads',
  'share.coordinator.cached.buffer.max.bytes',
  'transaction.partition.verification.enable',
  'unclean.leader.election.enable',
  'log.remote.copy.lag.bytes',
  'log.remote.copy.lag.ms',
  'max.decompressed.message.bytes',
])

/** Only for one broker. */
const PER_BROKER: ReadonlySet<string> = new Set([
  'cordoned.log.dirs',
  'listener.security.protocol.map',
  'listeners',
  'principal.builder.class',
  'sasl.enabled.mechanisms',
  'sasl.jaas.config',
  'sasl.kerberos.kinit.cmd',
  'sasl.kerberos.min.time.before.relogin',
  'sasl.kerberos.principal.to.local.rules',
  'sasl.kerberos.service.name',
  'sasl.kerberos.ticket.renew.jitter',
  'sasl.kerberos.ticket.renew.window.factor',
  'sasl.login.refresh.buffer.seconds',
  'sasl.login.refresh.min.period.seconds',
  'sasl.login.refresh.window.factor',
  'sasl.login.refresh.window.jitter',
  'sasl.mechanism.inter.broker.protocol',
  'ssl.cipher.suites',
  'ssl.client.auth',
  'ssl.enabled.protocols',
  'ssl.endpoint.identification.algorithm',
  'ssl.keymanager.algorithm',
  'ssl.protocol',
  'ssl.provider',
  'ssl.secure.random.implementation',
  'ssl.trustmanager.algorithm',
])

/** Only with the prefix of a listener of one broker. */
const PER_LISTENER: ReadonlySet<string> = new Set([
  'ssl.engine.factory.class',
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
])

const LISTENER_PREFIX = /^listener\.name\.[^.]+\.(.+)$/

/** A setting without the prefix that confines it to a listener. */
export function baseSettingOf(name: string): string {
  return LISTENER_PREFIX.exec(name)?.[1] ?? name
}

/** Whether DescribeConfigs shows the setting as one that can be changed. */
export function isDynamic(name: string): boolean {
  const base = baseSettingOf(name)
  return CLUSTER_WIDE.has(base) || PER_BROKER.has(base) || PER_LISTENER.has(base)
}

/** Whether it may be set for all brokers at once. */
export function isClusterWide(name: string): boolean {
  return !LISTENER_PREFIX.test(name) && CLUSTER_WIDE.has(name)
}

/** Whether it needs the prefix of a listener, and has none. */
export function lacksListener(name: string): boolean {
  return PER_LISTENER.has(name)
}
