import type { Cluster } from '../../src/index.ts'
import type { ClusterView } from './cluster-view.ts'
import type { ControllerWatch } from './controller-watch.ts'
import type { History } from './history.ts'
import type { Round } from './scenario.ts'
import type { Story } from './story.ts'
import { until } from './until.ts'

export interface KillRound {
  readonly title: string
  readonly story: Story
  readonly cluster: Cluster
  readonly view: ClusterView
  readonly watch: ControllerWatch
  readonly history: History
  readonly topics: readonly string[]
  /** The partition whose leader is killed, and that leader. */
  readonly topic: string
  readonly partition: number
  readonly leader: number
}

/** SIGKILL a leader, see another take over, bring the dead one back, see it in the ISR again. */
export async function killRound(round: KillRound): Promise<Round> {
  const { story, cluster, view, history, topic, partition, leader } = round
  const name = `${topic}-${partition}`
  story.heading(`Kill broker ${leader}, leader of ${name} (${round.title})`)
  const killedMs = story.nowMs()
  await cluster.broker(leader).kill()
  story.tell(`broker ${leader} got SIGKILL after ${history.acks.length} acks`)
  const newLeader = await view.newLeader(topic, partition, leader)
  story.tell(`broker ${newLeader}, out of the ISR, leads ${name}`)
  const unavailableMs = await until(
    { what: `an ack from ${name} after the kill`, timeoutMs: 15_000 },
    () => history.unavailableMs(partition, killedMs),
  )
  story.tell(`first new ack from ${name}: it was unavailable for ${Math.round(unavailableMs)} ms`)
  if (round.watch.controllerId !== leader) {
    story.tell(`controller: broker ${round.watch.controllerId} in epoch ${round.watch.epoch}`)
  }
  const restartedMs = story.nowMs()
  await cluster.broker(leader).start()
  story.tell(`broker ${leader} is back on its port and its disk`)
  await view.fullIsr(round.topics, cluster.brokers.length)
  const backInIsrMs = story.nowMs() - restartedMs
  story.tell(`broker ${leader} has caught up: all ISRs are full again`)
  return {
    title: round.title,
    killed: leader,
    partition: name,
    newLeader,
    unavailableMs,
    backInIsrMs,
  }
}
