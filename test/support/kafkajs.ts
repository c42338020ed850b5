import { Kafka, logLevel } from 'kafkajs'

/** kafkajs against the brokers of a cluster, with retries short enough for a test. */
export function kafkaOf(cluster: { readonly bootstrapServers: string }): Kafka {
  return new Kafka({
    clientId: 'test',
    brokers: cluster.bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 30, maxRetryTime: 200, retries: 50 },
  })
}
