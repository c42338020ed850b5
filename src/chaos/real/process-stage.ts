import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, TimeoutError } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { Address } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { Random } from '../../ports/random.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import type { Fault } from '../plan/fault.ts'
import type { Plan, TopicPlan } from '../plan/plan.ts'
import { problemOf, type Problem } from '../run/problem.ts'
import type { FiredFault } from '../run/run-result.ts'
import { ClientHost } from './client-host.ts'
import { ClusterWatch, type ClusterPicture } from './cluster-watch.ts'
import { resolveTarget } from './fault-targets.ts'
import { LinkProxy } from './link-proxy.ts'
import { LinkTable, type Undo } from './link-table.ts'
import { NodeLives } from './node-lives.ts'
import { onExit } from './on-exit.ts'
import { canInject, type FaultReach } from './process-fault-kinds.ts'
import { clog, injectOn, type FaultWorld } from './process-faults.ts'
import { StageAdmin } from './stage-admin.ts'
import type { LiveStage } from './live-stage.ts'
import { hostOf } from './stage-layout.ts'
import type { StageNode } from './stage-node.ts'

/** A fresh look at the cluster may take so long before the last one has to do. */
const LOOK_MS = 300
const PREPARE_LIMIT_MS = 30_000

export interface ProcessStageOptions {
  readonly mode: 'real' | 'kafka'
  readonly plan: Plan
  readonly nodes: readonly StageNode[]
  /** `clients-only`: the nodes belong to somebody else, they are dialled directly and nothing is done to them. */
  readonly reach?: FaultReach
  /** Removes what the stage keeps on disk. */
  readonly release: () => void
}

/**
 * A cluster of processes: every connection to a node goes through a proxy of this process, so links can be cut, held
 * and slowed down without root; processes are killed and stopped by signals. Used for Kafkette and for Apache Kafka.
 */
export class ProcessStage implements LiveStage {
  readonly mode: 'real' | 'kafka'
  readonly bootstrap: readonly Address[]
  readonly fired: FiredFault[] = []
  readonly admin: StageAdmin
  readonly nodes: readonly StageNode[]
  readonly #plan: Plan
  readonly #reach: FaultReach
  readonly #release: () => void
  readonly #random: Random
  readonly #beganMs = performance.now()
  readonly #table = new LinkTable()
  readonly #proxies: readonly LinkProxy[]
  readonly #watch: ClusterWatch
  readonly #clients = new Map<string, ClientHost>()
  readonly #listeners: ((event: NodeEvent) => void)[] = []
  readonly #undos = new Set<Undo>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #lives = new NodeLives((node, error) => {
    this.#failure ??= `${node.name} did not start again: ${messageOf(error)}`
  })
  readonly #stopListening: () => void
  #injecting = 0
  #isPrepared = false
  #healedMs = Infinity
  #failure: string | null = null
  #startClient: (name: string) => void = () => undefined
  #closed: Promise<void> | null = null

  constructor(options: ProcessStageOptions) {
    this.mode = options.mode
    this.nodes = options.nodes
    this.#plan = options.plan
    this.#reach = options.reach ?? 'processes'
    this.#release = options.release
    this.#random = SimRandom.ofSeed(options.plan.seed).fork('stage')
    this.bootstrap = this.nodes.map(({ addresses: { host, client } }) => ({
      host,
      port: client.proxyPort,
    }))
    this.#proxies =
      this.#reach === 'processes' ? this.nodes.flatMap((node) => proxiesOf(node, this.#table)) : []
    this.#watch = new ClusterWatch(this.nodes, (event) => this.hear(event))
    this.admin = new StageAdmin(this.bootstrap)
    this.#stopListening = onExit(() => {
      for (const node of this.nodes) node.abandon()
      this.#release()
    })
  }

  /** Starts all nodes; throws what the first one that cannot start says, and leaves nothing behind then. */
  async start(): Promise<void> {
    try {
      for (const proxy of this.#proxies) await proxy.listen()
      await Promise.all(this.nodes.map((node) => node.start()))
      this.#watch.start()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async prepare(topics: readonly TopicPlan[]): Promise<void> {
    await this.admin.createTopics(topics)
    this.#isPrepared = true
    const deadlineMs = performance.now() + PREPARE_LIMIT_MS
    const isThere = ({ name, partitions }: TopicPlan): boolean =>
      Array.from({ length: partitions }, (_, index) => `${name}-${index}`).every((key) =>
        this.#watch.picture.partitions.has(key),
      )
    for (;;) {
      const missing = topics.find((topic) => !isThere(topic))
      const reason =
        missing === undefined
          ? notWhole(this.#watch.picture, this.nodes)
          : `topic ${missing.name} is not there`
      if (reason === null || this.#failure !== null) return
      if (performance.now() > deadlineMs)
        throw new TimeoutError(`the cluster is not ready: ${reason}`)
      await pause(LOOK_MS / 10)
    }
  }

  nowMs(): number {
    return performance.now() - this.#beganMs
  }

  clientPorts(name: string): NodePorts {
    let client = this.#clients.get(name)
    if (client === undefined) {
      const random = this.#random.fork(`client ${name}`)
      client = new ClientHost(name, random, (event) => this.hear(event))
      this.#clients.set(name, client)
    }
    return client.begin()
  }

  /** Called when a client that crashed begins another life: its actor has to be started again. */
  onClientStart(listener: (name: string) => void): void {
    this.#startClient = listener
  }

  onEvent(listener: (event: NodeEvent) => void): void {
    this.#listeners.push(listener)
  }

  /** For the nodes of the stage: one of them tells something. */
  hear(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** For the nodes of the stage: a process ended although nobody asked it to. */
  nodeDied(name: string, reason: string): void {
    this.#failure ??= `${name} died: ${reason}`
  }

  /** A node that died or could not start again; null while all is well. */
  get failure(): string | null {
    return this.#failure
  }

  get picture(): ClusterPicture {
    return this.#watch.picture
  }

  inject(fault: Fault): void {
    this.#injecting += 1
    this.#carryOut(fault)
      .catch((error: unknown) => {
        this.#failure ??= `${fault.kind} of ${fault.target}: ${messageOf(error)}`
      })
      .finally(() => {
        this.#injecting -= 1
      })
  }

  heal(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const undo of [...this.#undos]) this.#undo(undo)
    this.#table.clear()
    for (const node of this.nodes) {
      node.resume()
      this.#lives.start(node)
    }
    for (const client of this.#clients.values()) {
      client.resume()
      if (!client.isUp) this.#startClient(client.name)
    }
    this.#healedMs = performance.now()
  }

  pending(): Problem | null {
    const { picture } = this.#watch
    return problemOf('L1', this.#notUp()) ?? problemOf('L2', notWhole(picture, this.nodes))
  }

  #notUp(): string | null {
    if (this.#injecting > 0) return 'a fault is being injected'
    const { starting } = this.#lives
    if (starting !== null) return `${starting} is starting`
    const down = this.nodes.find(({ isUp }) => !isUp)
    if (down !== undefined) return `${down.name} is down`
    const isOld = this.#watch.picture.askedMs <= this.#healedMs
    return isOld ? 'the cluster was not looked at yet' : null
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#watch.close()
    for (const client of this.#clients.values()) client.crash()
    if (this.#reach === 'clients-only' && this.#isPrepared) {
      await this.admin
        .deleteTopics(this.#plan.topics.map(({ name }) => name))
        .catch(() => undefined)
    }
    await this.admin.close()
    await this.#lives.close(this.nodes)
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
    this.#release()
    this.#stopListening()
  }

  async #carryOut(fault: Fault): Promise<void> {
    const world = this.#world()
    if (!canInject(fault.kind, this.#reach)) {
      this.#note(fault, fault.target, true)
      return
    }
    if (isAdministrative(fault)) {
      this.#note(fault, 'administrator', false)
      await this.admin.carryOut(fault, this.#plan.topics).catch(() => undefined)
      return
    }
    if (fault.kind === 'clog') {
      const { nodes, undo } = clog(fault, world)
      this.#note(fault, nodes.join(' '), false)
      this.#undoLater(fault, undo)
      return
    }
    const names = await resolveTarget(fault.target, {
      nodes: this.nodes,
      clients: [...this.#clients.keys()],
      picture: await this.#freshPicture(),
      coordinatorOf: (groupId) => this.#watch.coordinatorOf(groupId),
    })
    if (names.length === 0) this.#note(fault, fault.target, true)
    for (const name of names) {
      const row = this.#note(fault, name, false)
      const injected = await injectOn(name, fault, world)
      if (injected === null) this.fired[row] = { ...this.#firedAt(row), isIdle: true }
      else this.#undoLater(fault, injected.undo)
    }
  }

  /** The last look when a new one takes too long: a fault does not wait for a cluster that hangs. */
  async #freshPicture(): Promise<ClusterPicture> {
    const late = Promise.withResolvers<ClusterPicture>()
    const timer = setTimeout(() => late.resolve(this.#watch.picture), LOOK_MS)
    try {
      return await Promise.race([this.#watch.look(), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Returns its place in `fired`. */
  #note(row: Fault, node: string, isIdle: boolean): number {
    return this.fired.push({ row, node, atMs: this.nowMs(), isIdle }) - 1
  }

  #firedAt(index: number): FiredFault {
    const found = this.fired[index]
    if (found === undefined) throw new RangeError(`no fault ${index} has fired`)
    return found
  }

  #undoLater(fault: Fault, undo: Undo): void {
    // It took until after the heal to begin.
    if (this.#healedMs !== Infinity) return undo()
    this.#undos.add(undo)
    if (fault.untilMs === undefined) return
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#undo(undo)
        this.hear({
          atMs: performance.now(),
          node: 'stage',
          kind: 'fault.undone',
          fields: { fault: fault.kind, target: fault.target },
        })
      },
      Math.max(0, fault.untilMs - fault.atMs),
    )
    this.#timers.add(timer)
  }

  #undo(undo: Undo): void {
    if (this.#undos.delete(undo)) undo()
  }

  #world(): FaultWorld {
    return {
      nodes: this.nodes,
      clients: this.#clients,
      table: this.#table,
      proxies: this.#proxies,
      random: this.#random,
      lives: this.#lives,
      startClient: ({ name }) => this.#startClient(name),
    }
  }
}

/** Faults of section E: an administrator asks for them. */
function isAdministrative({ kind }: Fault): boolean {
  return ['elect-preferred', 'create-partitions', 'recreate-topic', 'alter-topic'].includes(kind)
}

function proxiesOf(node: StageNode, table: LinkTable): readonly LinkProxy[] {
  const { host, client, controller } = node.addresses
  const common = { table, node: node.name, host, hostOf }
  const proxies = [new LinkProxy({ ...common, ...client, role: 'client' })]
  if (controller !== null)
    proxies.push(new LinkProxy({ ...common, ...controller, role: 'controller' }))
  return proxies
}

/** L1 and L2 from outside; null when the cluster is whole. */
function notWhole(picture: ClusterPicture, nodes: readonly StageNode[]): string | null {
  const knowsControllers = nodes.some(({ addresses }) => addresses.controller !== null)
  if (knowsControllers && picture.controller === -1) return 'there is no active controller'
  const silent = nodes.find(({ id }) => !picture.answering.includes(id))
  if (silent !== undefined) return `${silent.name} does not answer`
  const fenced = nodes.find(({ id }) => !picture.unfenced.includes(id))
  if (fenced !== undefined) return `${fenced.name} is fenced`
  for (const [key, { leader, isr, replicas }] of picture.partitions) {
    if (leader === -1) return `${key} has no leader`
    if (isr.length < replicas.length) {
      const missing = replicas.filter((id) => !isr.includes(id))
      return `${key} waits for ${missing.map((id) => `n${id}`).join(', ')} to come back into the ISR`
    }
  }
  return null
}
