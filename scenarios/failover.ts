import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startCluster, type Cluster, type NodeEvent } from '../src/index.ts'
import {
  groupSawAll,
  noAckedLoss,
  noDuplicates,
  orderPerKey,
  sinkEqualsSource,
  tailsWereTruncated,
  tallyOf,
} from './lib/checks.ts'
import { ClusterView } from './lib/cluster-view.ts'
import { ConnectProcess } from './lib/connect-process.ts'
import { lostValues } from './lib/evidence.ts'
import { ackedBy, leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import {
  at,
  c3,
  CONTROLLER,
  leaderOf,
  offsetsWatcher,
  producers,
  readers,
  topic,
} from './lib/plan-builders.ts'
import { ControllerWatch } from './lib/controller-watch.ts'
import { GrowingFile, linesOf } from './lib/growing-file.ts'
import { History, valueOf } from './lib/history.ts'
import { KafkajsWorkload } from './lib/kafkajs-workload.ts'
import { killRound, type Truncation } from './lib/kill-round.ts'
import { readBack } from './lib/read-back.ts'
import type { Round } from './lib/round.ts'
import { scenario, type ScenarioResult } from './lib/scenario.ts'
import type { Story } from './lib/story.ts'
import { until } from './lib/until.ts'

const ORDERS = 'orders'
const LINES = 'lines'
const BROKERS = 3
const PARTITIONS = 3
/** Spread over all three partitions, several each, so that each has a send under way at any time. */
const KEYS = 12
const INITIAL_LINES = 5000
/** Time under load before each kill, so that there is something to lose. */
const LOAD_MS = 1000

/**
 * Scenario 1 of the catalogue. Over processes it is told twice in one run, with kafkajs and a Connect pipeline: first
 * a plain broker dies, then the active controller.
 */
export const failover = scenario('failover', {
  section: 'A',
  number: 1,
  summary: 'kill -9 a leader, then the active controller, under load: nothing acked is lost',
  lesson: 'acks=all survives a leader: whoever is elected has every acknowledged record.',
  modes: ['sim', 'real', 'kafka'],
  defaultMode: 'real',
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(4), readers(2), offsetsWatcher()],
  faults: [
    at('2s', 'crash', leaderOf('t', 0), { until: '6s' }),
    at('8s', 'crash', CONTROLLER, { until: '11s' }),
  ],
  chaos: '13s',
  expect: [
    within('2500ms', leaderChange('t', 0)),
    within('4s', ackedBy('t', 0)),
    sometimes('controller.elected'),
    sometimes('isr.whole-again'),
  ],
  invariants: ['R5', 'R6', 'R7', 'D1', 'L2', 'L3', 'L4'],
  twins: [
    {
      name: 'acks=1',
      says: 'a leader that acks alone takes acked records along when its power goes',
      change: (plan) => ({
        ...plan,
        workload: [...producers(4, { acks: 1, idempotent: false, everyMs: 10 }), ...readers(2)],
        cluster: {
          ...plan.cluster,
          properties: { 'replica.fetch.backoff.ms': '400' },
          network: { ...plan.cluster.network, minUs: 3000, maxUs: 9000 },
        },
        faults: [at('2s', 'power-cut', leaderOf('t', 0), { until: '6s' })],
      }),
      seeds: 10,
      mustShow: [
        shows('acked records are lost', (evidence) => {
          const { length } = lostValues(evidence)
          return { isMet: length > 0, detail: `${length}` }
        }),
      ],
    },
  ],
  play: async (story) => {
    const stage = new Stage(story)
    try {
      return await stage.play()
    } finally {
      await stage.clear()
    }
  },
})

/** Everything that runs during the scenario. */
class Stage {
  readonly #story: Story
  readonly #directory = mkdtempSync(join(tmpdir(), 'kafkette-failover-'))
  readonly #sinkPath = join(this.#directory, 'sink.txt')
  readonly #history = new History()
  readonly #watch = new ControllerWatch()
  readonly #truncations: Truncation[] = []
  readonly #file = new GrowingFile({
    path: join(this.#directory, 'source.txt'),
    initialLines: INITIAL_LINES,
    linesPerStep: 20,
    stepMs: 50,
  })
  readonly #disposals: (() => Promise<void> | void)[] = []

  constructor(story: Story) {
    this.#story = story
  }

  async play(): Promise<ScenarioResult> {
    const cluster = await this.#startCluster()
    const workload = await this.#startWorkload(cluster)
    const connect = this.#startConnect(cluster)
    const rounds = await this.#killTwice(cluster, workload)
    return await this.#finish(workload, connect, rounds)
  }

  async clear(): Promise<void> {
    for (const dispose of this.#disposals.reverse()) await dispose()
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 })
  }

  async #startCluster(): Promise<Cluster> {
    this.#story.heading('Three brokers, one process each, their logs on disk')
    const cluster = await startCluster({
      brokers: BROKERS,
      isolation: 'process',
      dataDir: join(this.#directory, 'data'),
      onEvent: (event) => {
        this.#watch.observe(event)
        this.#noteTruncation(event)
      },
    })
    this.#disposals.push(() => cluster.stop())
    const places = cluster.brokers.map(({ id, port, pid }) => `${id} (port ${port}, pid ${pid})`)
    this.#story.tell(`brokers ${places.join(', ')}: up after ${Math.round(cluster.startMs)} ms`)
    return cluster
  }

  async #startWorkload(cluster: Cluster): Promise<KafkajsWorkload> {
    const workload = new KafkajsWorkload({
      bootstrapServers: cluster.bootstrapServers,
      topic: ORDERS,
      partitions: PARTITIONS,
      keys: KEYS,
      members: 2,
      groupId: 'billing',
      history: this.#history,
      nowMs: () => this.#story.nowMs(),
      everyMs: 5,
    })
    this.#disposals.push(() => workload.stop())
    const admin = workload.kafka.admin()
    await admin.connect()
    const common = {
      replicationFactor: BROKERS,
      configEntries: [{ name: 'min.insync.replicas', value: '2' }],
    }
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: ORDERS, numPartitions: PARTITIONS, ...common },
        { topic: LINES, numPartitions: 1, ...common },
      ],
    })
    await admin.disconnect()
    this.#story.tell(`topics ${ORDERS} and ${LINES}: replication factor 3, min.insync.replicas 2`)
    await workload.start()
    this.#story.tell(`${KEYS} kafkajs producers (acks=all) and a group of 2 consumers at work`)
    return workload
  }

  #startConnect(cluster: Cluster): ConnectProcess {
    const connect = new ConnectProcess({
      directory: this.#directory,
      bootstrapServers: cluster.bootstrapServers,
      topic: LINES,
      sourceFile: this.#file.path,
      sinkFile: this.#sinkPath,
    })
    this.#disposals.push(() => connect.stop())
    this.#file.start()
    this.#disposals.push(() => {
      this.#file.stop()
    })
    return connect
  }

  async #killTwice(cluster: Cluster, workload: KafkajsWorkload): Promise<readonly Round[]> {
    const admin = workload.kafka.admin({ retry: { retries: 3, initialRetryTime: 20 } })
    await admin.connect()
    this.#disposals.push(() => admin.disconnect())
    const view = new ClusterView(admin)
    const common = {
      story: this.#story,
      cluster,
      view,
      watch: this.#watch,
      history: this.#history,
      workload,
      truncations: this.#truncations,
      topics: [ORDERS, LINES],
      topic: ORDERS,
    }
    const rounds: Round[] = []
    for (const title of ['plain broker', 'active controller']) {
      await pause(LOAD_MS)
      const wantsController = title === 'active controller'
      const target = await view.partitionLedBy(
        ORDERS,
        (leader) => (leader === this.#watch.controllerId) === wantsController,
      )
      rounds.push(await killRound({ ...common, title, ...target }))
    }
    return rounds
  }

  async #finish(
    workload: KafkajsWorkload,
    connect: ConnectProcess,
    rounds: readonly Round[],
  ): Promise<ScenarioResult> {
    const history = this.#history
    this.#story.heading('Stop the writers, read everything back')
    await workload.stopProducing()
    this.#file.stop()
    this.#story.tell(
      `${history.acks.length} records were acked, ${this.#file.lineCount} lines written`,
    )
    const log = await readBack(workload.kafka, ORDERS)
    await until({ what: 'the group to consume every acked record', timeoutMs: 15_000 }, () =>
      history.acks.every((ack) => history.consumed.has(valueOf(ack))),
    )
    this.#story.tell('the consumer group has seen every acked record')
    await until(
      { what: 'Connect to copy every line', timeoutMs: 20_000, state: () => connect.output },
      () => !connect.isRunning || linesOf(this.#sinkPath).length >= this.#file.lineCount,
    )
    this.#story.tell(`Connect has copied ${linesOf(this.#sinkPath).length} lines`)
    return {
      tally: tallyOf(history, log),
      rounds,
      checks: [
        noAckedLoss(history, log),
        noDuplicates(log),
        tailsWereTruncated(rounds),
        orderPerKey(log),
        groupSawAll(history),
        sinkEqualsSource(linesOf(this.#file.path), linesOf(this.#sinkPath)),
      ],
    }
  }

  #noteTruncation({ node, kind, fields }: NodeEvent): void {
    const { topic, from, to } = fields
    if (kind !== 'replica.truncated' || topic !== ORDERS) return
    const brokerId = Number(node.replace('broker-', ''))
    this.#truncations.push({ brokerId, from: Number(from), to: Number(to) })
  }
}
