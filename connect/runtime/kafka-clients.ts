import {
  Admin,
  Consumer,
  Producer,
  type ClientPorts,
  type Properties,
} from '../../src/client/index.ts'

/** What a source task needs of a producer. */
export type ConnectProducer = Pick<Producer, 'produce' | 'close' | 'unknownProperties'>

/** What a sink task needs of a consumer. */
export type ConnectConsumer = Pick<
  Consumer,
  | 'subscribe'
  | 'poll'
  | 'wakeup'
  | 'seek'
  | 'pause'
  | 'resume'
  | 'position'
  | 'commitSync'
  | 'commitAsync'
  | 'close'
  | 'unknownProperties'
>

/** The runtime's way to Kafka: a port of its own, so that tests can run tasks without brokers. */
export interface KafkaClients {
  /** Throws `ConfigError`. */
  producer(properties: Properties): ConnectProducer
  consumer(properties: Properties): ConnectConsumer
  /** The id of the cluster, if it has one; rejects when no broker answers. */
  clusterId(properties: Properties): Promise<string | null>
}

/** The real clients. */
export function kafkaClients(ports: ClientPorts): KafkaClients {
  return {
    producer: (properties) => new Producer(properties, ports),
    consumer: (properties) => new Consumer(properties, ports),
    clusterId: async (properties) => {
      const admin = new Admin(properties, ports)
      try {
        return (await admin.describeCluster()).clusterId
      } finally {
        await admin.close()
      }
    },
  }
}
