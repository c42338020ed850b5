import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from '../../src/index.ts'
import type { ClusterView } from './cluster-view.ts'
import type { ControllerWatch } from './controller-watch.ts'
import type { History } from './history.ts'
import type { KafkajsWorkload } from './kafkajs-workload.ts'
import { logEndOffset } from './log-end.ts'
import type { Round } from './round.ts'
import type { Story } from './story.ts'
import { until } from './until.ts'

/** Time for the leader to answer the fetches that were under way when the followers were held. */
const SETTLE_MS = 100
/** Less than any session time-out. */
const HELD_MS = 700

/** A replica that threw away its end because the new leader does not have it. */
export interface Truncation {
  readonly brokerId: number
  readonly from: number
  readonly to: number
}

export interface KillRound {
  readonly title: string
  readonly story: Story
  readonly cluster: Cluster
  readonly view: ClusterView
  readonly watch: ControllerWatch
  readonly history: History
  readonly workload: KafkajsWorkload
  /** Grows as the brokers tell of truncations. */
  readonly truncations: readonly Truncation[]
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
  await leaveUnreplicatedTail(round)
  const killedMs = story.nowMs()
  await cluster.broker(leader).kill()
  resumeOthers(round)
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
  const cut = round.truncations.filter(({ brokerId }) => brokerId === leader)
  const records = cut.reduce((sum, { from, to }) => sum + from - to, 0)
  story.tell(`broker ${leader} truncated ${records} records that nobody had acked, and caught up`)
  story.tell(`broker ${leader} is back in every ISR`)
  return {
    title: round.title,
    killed: leader,
    partition: name,
    newLeader,
    unavailableMs,
    truncatedRecords: records,
    backInIsrMs,
  }
}

/**
 * Holds the followers still (SIGSTOP) while producers go on: the leader appends records that nobody else gets
 * and nobody sees acked. They are the tail that it has to truncate when it comes back.
 */
async function leaveUnreplicatedTail(round: KillRound): Promise<void> {
  const { story, cluster, leader, topic, partition, workload } = round
  const others = cluster.brokers.filter(({ id }) => id !== leader)
  for (const { pid } of others) process.kill(pid, 'SIGSTOP')
  await pause(SETTLE_MS)
  const broker = cluster.broker(leader)
  const before = (await logEndOffset(broker, topic, partition)) ?? 0
  const wanted = before + workload.sendTo(partition)
  // What is appended from here on was appended after the last fetch of the held followers was answered.
  await until(
    { what: `records on broker ${leader} alone`, timeoutMs: HELD_MS, everyMs: 10 },
    async () => {
      const end = await logEndOffset(broker, topic, partition)
      return end !== null && end >= wanted
    },
  ).catch(() => null)
  story.tell(
    `brokers ${others.map(({ id }) => id).join(' and ')} are held still: broker ${leader} appends alone and may not ack`,
  )
}

function resumeOthers({ cluster, leader }: KillRound): void {
  for (const { id, pid } of cluster.brokers) {
    if (id !== leader) process.kill(pid, 'SIGCONT')
  }
}
