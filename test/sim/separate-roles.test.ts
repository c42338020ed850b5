// Goal: brokers and controllers that are nodes of their own are a cluster like any other (KIP-500): it gets ready,
// survives its active controller, a restart of everything and a controlled shutdown. Method: three brokers and three
// controllers in a simulated world, a callback client that produces with acks=all, NodeView for what is inside.
import { describe, expect, it } from 'vitest'
import { dumpOfGroupLog, liveStateOf, rebuiltStateOf } from '../../broker/index.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { offsetCommitApi } from '../../src/wire/messages/08-offset-commit.ts'
import { findCoordinatorApi } from '../../src/wire/messages/10-find-coordinator.ts'
import { describeQuorumApi } from '../../src/wire/messages/55-describe-quorum.ts'
import { describeClusterApi } from '../../src/wire/messages/60-describe-cluster.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const TOPIC = 'orders'
const CONTROLLER_PORT = 9093
const CLIENT_PORT = 9092

/** A ready cluster of three brokers and three controllers with a topic and a client. */
class SeparateWorld {
  readonly cluster: SimCluster
  readonly client: SimClient

  constructor(seed: number) {
    this.cluster = new SimCluster({ seed, brokers: 3, controllers: 3 })
    expect(this.cluster.waitReady()).toBe(true)
    const { ports } = this.cluster.world.node('client')
    this.client = new SimClient(ports, this.cluster.bootstrap())
  }

  createTopic(): this {
    let isLed = false
    const look = (): void =>
      this.client.refresh(() => {
        isLed = (this.client.partition(TOPIC, 0)?.leaderId ?? -1) !== -1
        if (!isLed) look()
      })
    this.client.createTopic(TOPIC, 1, look)
    this.until(() => isLed)
    return this
  }

  produce(...values: readonly string[]): void {
    const wanted = this.client.acked.length + values.length
    const step = (index: number): void => {
      const value = values[index]
      if (value !== undefined) this.client.produce(TOPIC, 0, value, () => step(index + 1))
    }
    step(0)
    this.until(() => this.client.acked.length === wanted)
  }

  readAll(): readonly string[] {
    let values: readonly string[] | null = null
    this.client.readAll(TOPIC, 0, (all) => (values = all))
    this.until(() => values !== null)
    return values!
  }

  /** The answer to one request, or the error that it ended with. */
  ask<Req, Res>(host: string, port: number, api: Api<Req, Res>, version: number, body: Input<Req>) {
    const { network, clock } = this.cluster.world.node('asker').ports
    type Outcome = { readonly error: Error | null; readonly response: Res | null }
    let outcome = null as Outcome | null
    const connection = new ClientConnection({
      network,
      clock,
      address: { host, port },
      clientId: 'asker',
    })
    connection.request(api, version, body, 2000, (error, response) => {
      outcome = { error, response }
      connection.close()
    })
    this.until(() => outcome !== null)
    return outcome!
  }

  until(predicate: () => boolean): void {
    expect(this.cluster.world.runUntil(predicate, 30_000)).toBe(true)
  }

  /** The controllers that take themselves for active. */
  active(): readonly number[] {
    const { cluster } = this
    return cluster.controllerIds.filter(
      (id) => cluster.isReady(id) && cluster.view(id).controller?.isActive === true,
    )
  }
}

describe('brokers and controllers as nodes of their own', () => {
  it('are ready, create a topic and take records', () => {
    const world = new SeparateWorld(1).createTopic()
    world.produce('a', 'b', 'c')
    expect(world.readAll()).toEqual(['a', 'b', 'c'])
    const { cluster } = world
    expect(cluster.controllerIds).toContain(cluster.controllerId)
    expect(world.active()).toEqual([cluster.controllerId])
    for (const id of cluster.ids) {
      const { quorum, isBroker, isController, controller } = cluster.view(id)
      expect({ isBroker, isController, controller }).toEqual({
        isBroker: true,
        isController: false,
        controller: null,
      })
      expect(quorum.isVoter).toBe(false)
      expect(quorum.role).toBe('follower')
      expect(quorum.votedFor).toBe(-1)
    }
    for (const id of cluster.controllerIds) {
      const view = cluster.view(id)
      expect(view.isBroker).toBe(false)
      expect(view.isController).toBe(true)
      expect(view.quorum.isVoter).toBe(true)
      expect(view.brokerEpoch).toBe(-1)
      expect([...view.partitions()]).toEqual([])
      expect([...view.groupShards()]).toEqual([])
    }
  })

  it('go on when the active controller crashes, and take it back', () => {
    const world = new SeparateWorld(2).createTopic()
    world.produce('before')
    const { cluster } = world
    const old = cluster.controllerId
    cluster.crash(old)
    world.produce('meanwhile')
    world.until(() => world.active().length === 1 && cluster.controllerId !== old)
    let isMade = false
    world.client.createTopic('later', 1, () => (isMade = true))
    world.until(() => isMade)
    cluster.restart(old)
    expect(cluster.waitReady()).toBe(true)
    world.produce('after')
    expect(world.readAll()).toEqual(['before', 'meanwhile', 'after'])
    const offset = cluster.view(cluster.controllerId).quorum.highWatermark
    world.until(() => cluster.allIds.every((id) => cluster.view(id).image.lastOffset + 1 >= offset))
  })

  it('come back after a power cut of everything', () => {
    const world = new SeparateWorld(3).createTopic()
    world.produce('a', 'b')
    const { cluster } = world
    cluster.world.runFor(5000)
    for (const id of cluster.allIds) cluster.crash(id)
    for (const id of cluster.allIds) cluster.restart(id)
    expect(cluster.waitReady()).toBe(true)
    world.produce('c')
    expect(world.readAll()).toEqual(['a', 'b', 'c'])
  })

  it('shut down in order, the controllers last', () => {
    const world = new SeparateWorld(4).createTopic()
    const { cluster } = world
    for (const id of [...cluster.ids, ...cluster.controllerIds]) {
      const shutdown = cluster.shutdown(id)
      world.until(() => shutdown.isEnded)
    }
    for (const id of cluster.allIds) cluster.crash(id)
    for (const id of cluster.allIds) cluster.restart(id)
    expect(cluster.waitReady()).toBe(true)
  })

  it('answer each on its own listener only', () => {
    const world = new SeparateWorld(5)
    const { cluster } = world
    const leader = `c${cluster.controllerId - 100}`
    const versions = world.ask(leader, CONTROLLER_PORT, apiVersionsApi, 3, {
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
    })
    const keys = versions.response!.apiKeys.map(({ apiKey }) => apiKey)
    expect(keys).toEqual([
      1, 17, 18, 19, 20, 29, 30, 31, 32, 33, 36, 37, 43, 44, 45, 46, 49, 52, 53, 54, 55, 56, 57, 58,
      60, 62, 63, 64, 67, 73, 80, 81, 82,
    ])
    expect(versions.response!.supportedFeatures.map(({ name }) => name)).toEqual([
      'metadata.version',
    ])
    const controllers = world.ask(leader, CONTROLLER_PORT, describeClusterApi, 1, {
      endpointType: 2,
    })
    expect(controllers.response).toMatchObject({ errorCode: 0, controllerId: cluster.controllerId })
    expect(controllers.response!.brokers.map(({ brokerId }) => brokerId)).toEqual([101, 102, 103])
    const brokers = world.ask(leader, CONTROLLER_PORT, describeClusterApi, 1, { endpointType: 1 })
    expect(brokers.response!.errorCode).toBe(ErrorCode.MISMATCHED_ENDPOINT_TYPE)
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const quorum = world.ask('b1', CLIENT_PORT, describeQuorumApi, 1, { topics })
    const [partition] = quorum.response!.topics[0]!.partitions
    expect(partition!.currentVoters.map(({ replicaId }) => replicaId)).toEqual([101, 102, 103])
    expect(
      partition!.observers.map(({ replicaId }) => replicaId).toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3])
    // A controller serves no Metadata, as Kafka's: the connection ends.
    const refused = world.ask(leader, CONTROLLER_PORT, metadataApi, 12, { topics: null })
    expect(refused.response).toBeNull()
    // A broker alone has no listener of the quorum.
    const closed = world.ask('b1', CONTROLLER_PORT, apiVersionsApi, 0, {})
    expect(closed.response).toBeNull()
  })

  it('show groups whose dump is that of a replay, and logs that are what their bytes say', () => {
    const world = new SeparateWorld(6).createTopic()
    world.produce('a', 'b', 'c')
    let host = ''
    world.until(() => {
      const found = world.ask('b1', CLIENT_PORT, findCoordinatorApi, 3, { key: 'billing' })
      if (found.response?.errorCode === ErrorCode.NONE) host = found.response.host
      return host !== ''
    })
    const partitions = [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'note' }]
    const commit = { groupId: 'billing', topics: [{ name: TOPIC, partitions }] }
    world.until(() => {
      const { response } = world.ask(host, CLIENT_PORT, offsetCommitApi, 8, commit)
      return response?.topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE
    })
    const view = world.cluster.view(Number(host.slice(1)))
    const shard = [...view.groupShards()].find((each) => each.dump() !== '')!
    expect(shard.isActive).toBe(true)
    expect(shard.dump()).toContain('offset "billing" "orders" 0 2 epoch -1 "note"')
    const { log } = view.partition(`__consumer_offsets-${shard.partition}`)!
    expect(dumpOfGroupLog(log, log.logEndOffset)).toBe(shard.dump())
    // Without the last record the replay must tell another story.
    expect(dumpOfGroupLog(log, log.logEndOffset - 1)).not.toBe(shard.dump())
    expect([...shard.groups()].map(({ groupId, offsets }) => [groupId, [...offsets]])).toEqual([
      ['billing', [[`${TOPIC}-0`, 2]]],
    ])
    for (const id of world.cluster.ids) {
      for (const partition of world.cluster.view(id).partitions()) {
        expect(rebuiltStateOf(partition.log)).toBe(liveStateOf(partition.log))
      }
    }
    for (const id of world.cluster.allIds) {
      const { log: metadata } = world.cluster.view(id).quorum
      expect(rebuiltStateOf(metadata)).toBe(liveStateOf(metadata))
    }
  })
})
