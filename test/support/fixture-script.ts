// A user's script: it starts a cluster, uses it, ends it as its argument says, and must then end by itself.
import { Kafka, logLevel } from 'kafkajs'
import { startCluster, type StartClusterOptions } from '../../src/index.ts'

const [how = '', options = '{}'] = process.argv.slice(2)
const cluster = await startCluster(JSON.parse(options) as StartClusterOptions)
const kafka = new Kafka({
  brokers: cluster.bootstrapServers.split(','),
  logLevel: logLevel.NOTHING,
})
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic: 't' }] })
await admin.disconnect()
process.stdout.write(`${cluster.dataDir ?? 'memory'}\n`)
if (how === 'stop') await cluster.stop()
else if (how === 'exit') process.exit(3)
else throw new Error('a failed test')
