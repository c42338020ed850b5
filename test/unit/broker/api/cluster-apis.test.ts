// What a client asks first: versions, brokers, coordinators, a producer id. The expected answers were
// compared field by field with those of Apache Kafka 4.3.1.
import { describe, expect, it } from 'vitest'
import { findCoordinatorHandler } from '../../../../broker/api/10-find-coordinator.ts'
import { apiVersionsHandler } from '../../../../broker/api/18-api-versions.ts'
import { initProducerIdHandler } from '../../../../broker/api/22-init-producer-id.ts'
import { describeClusterHandler } from '../../../../broker/api/60-describe-cluster.ts'
import { ErrorCode, errorMessage } from '../../../../src/wire/error-codes.ts'
import { ApiWorld, CLUSTER } from '../../../support/api-world.ts'

const SOFTWARE = { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '4.3.1' }

describe('ApiVersions', () => {
  it.each([0, 1, 2, 3, 4, 5])('v%i advertises Produce from 0 on (KAFKA-18659)', (version) => {
    const answer = new ApiWorld()
      .broker(1)
      .ask(apiVersionsHandler, version, version < 3 ? {} : SOFTWARE)
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    expect(answer.apiKeys).toEqual([{ apiKey: 0, minVersion: 0, maxVersion: 13 }])
  })

  it('shows a feature that begins at level 0 from version 4 on only', () => {
    const world = new ApiWorld().broker(1)
    const names = (version: number): string[] =>
      world.ask(apiVersionsHandler, version, SOFTWARE).supportedFeatures.map(({ name }) => name)
    expect(names(3)).toEqual(['metadata.version'])
    expect(names(4)).toEqual(['metadata.version', 'kraft.version'])
    expect(world.ask(apiVersionsHandler, 4, SOFTWARE).supportedFeatures[0]).toEqual({
      name: 'metadata.version',
      minVersion: 7,
      maxVersion: 30,
    })
  })

  it.each(['', '-x', 'x-', 'a b', 'ä'])('refuses "%s" as the name of a client', (name) => {
    const body = { ...SOFTWARE, clientSoftwareName: name }
    const answer = new ApiWorld().ask(apiVersionsHandler, 3, body)
    expect([answer.errorCode, answer.apiKeys]).toEqual([ErrorCode.INVALID_REQUEST, []])
  })

  it.each([
    [{ clusterId: CLUSTER, nodeId: 1 }, ErrorCode.NONE],
    [{ clusterId: null, nodeId: -1 }, ErrorCode.NONE],
    [{ clusterId: CLUSTER, nodeId: 2 }, ErrorCode.REBOOTSTRAP_REQUIRED],
    [{ clusterId: 'another', nodeId: -1 }, ErrorCode.REBOOTSTRAP_REQUIRED],
  ])('v5 with %j answers %i (KIP-1242)', (meant, code) => {
    expect(new ApiWorld().ask(apiVersionsHandler, 5, { ...SOFTWARE, ...meant }).errorCode).toBe(
      code,
    )
  })
})

describe('FindCoordinator', () => {
  const world = (): ApiWorld =>
    new ApiWorld().broker(1).broker(2).topic('__consumer_offsets', 2, [2])

  it.each([0, 1, 2, 3])('v%i finds the coordinator of one group', (version) => {
    const answer = world().ask(findCoordinatorHandler, version, { key: 'g' })
    expect(answer).toMatchObject({ errorCode: 0, nodeId: 2, host: 'b2', port: 9002 })
    expect(answer.errorMessage).toBe(version >= 1 ? 'NONE' : '')
  })

  it.each([4, 5, 6])('v%i finds those of several groups', (version) => {
    const answer = world().ask(findCoordinatorHandler, version, { coordinatorKeys: ['g', 'h'] })
    expect(answer.coordinators).toEqual(
      ['g', 'h'].map((key) => ({
        key,
        errorCode: 0,
        errorMessage: '',
        nodeId: 2,
        host: 'b2',
        port: 9002,
      })),
    )
  })

  it('has the offsets topic created and lets the client ask again', () => {
    const empty = new ApiWorld().broker(1)
    expect(empty.ask(findCoordinatorHandler, 3, { key: 'g' })).toMatchObject({
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
      errorMessage: errorMessage(ErrorCode.COORDINATOR_NOT_AVAILABLE),
      nodeId: -1,
      host: '',
      port: -1,
    })
    expect(empty.requestedTopics).toEqual(['__consumer_offsets'])
  })

  it('does not name a coordinator that is fenced or has another listener', () => {
    for (const options of [{ fenced: true }, { listener: 'OTHER' }]) {
      const answer = new ApiWorld()
        .broker(1)
        .broker(2, options)
        .topic('__consumer_offsets', 2, [2])
        .ask(findCoordinatorHandler, 2, { key: 'g' })
      expect(answer.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    }
  })

  it.each([
    [1, ErrorCode.COORDINATOR_NOT_AVAILABLE, ''],
    [2, ErrorCode.INVALID_REQUEST, ''],
    [9, ErrorCode.INVALID_REQUEST, errorMessage(ErrorCode.INVALID_REQUEST)],
  ])('refuses key type %i, which has no coordinator here', (keyType, code, message) => {
    const body = { keyType, coordinatorKeys: ['g:t:0'] }
    const [found] = world().ask(findCoordinatorHandler, 6, body).coordinators
    expect(found).toMatchObject({ errorCode: code, errorMessage: message, nodeId: -1, port: -1 })
  })
})

describe('DescribeCluster', () => {
  const world = (): ApiWorld => new ApiWorld().broker(2, { fenced: true }).broker(1)

  it.each([0, 1, 2])('v%i lists the brokers that are alive', (version) => {
    const answer = world().ask(describeClusterHandler, version, {})
    expect(answer).toMatchObject({ errorCode: 0, clusterId: CLUSTER, controllerId: 1 })
    expect(answer.brokers.map(({ brokerId }) => brokerId)).toEqual([1])
    expect(answer.clusterAuthorizedOperations).toBe(-2_147_483_648)
  })

  it('lists fenced brokers too when asked, and allows every operation', () => {
    const answer = world().ask(describeClusterHandler, 2, {
      includeFencedBrokers: true,
      includeClusterAuthorizedOperations: true,
    })
    expect(answer.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
      [1, false],
      [2, true],
    ])
    expect(answer.controllerId).toBe(1)
    expect(answer.clusterAuthorizedOperations).toBe(8096)
  })

  it('describes the voters on the controller listener', () => {
    const answer = world().ask(describeClusterHandler, 1, { endpointType: 2 }, 'controller')
    expect(answer).toMatchObject({ errorCode: 0, endpointType: 2, controllerId: 1 })
    expect(answer.brokers).toMatchObject([{ brokerId: 1, host: 'c1', port: 9093 }])
  })

  it.each([
    [
      2,
      ErrorCode.MISMATCHED_ENDPOINT_TYPE,
      'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
    ],
    [3, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, 'Unsupported endpoint type 3'],
  ])('refuses endpoint type %i on a broker listener', (endpointType, code, message) => {
    const answer = world().ask(describeClusterHandler, 1, { endpointType })
    expect(answer).toMatchObject({ errorCode: code, errorMessage: message, brokers: [] })
  })
})

describe('InitProducerId', () => {
  const world = (): ApiWorld =>
    new ApiWorld({ services: { producerIds: { next: (done) => done(ErrorCode.NONE, 77) } } })

  it.each([0, 1, 2, 3, 4, 5])(
    'v%i gives an idempotent producer a new id with epoch 0',
    (version) => {
      const answer = world().ask(initProducerIdHandler, version, { transactionalId: null })
      expect(answer).toMatchObject({ errorCode: 0, producerId: 77, producerEpoch: 0 })
    },
  )

  it.each([
    [5, -1],
    [-1, 2],
  ])('refuses id %i with epoch %i: one without the other', (producerId, producerEpoch) => {
    const body = { transactionalId: null, producerId, producerEpoch }
    expect(world().ask(initProducerIdHandler, 3, body)).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      producerId: -1,
      producerEpoch: -1,
    })
  })

  it('gives a new id to a producer that had one (KIP-360)', () => {
    const body = { transactionalId: null, producerId: 5, producerEpoch: 3 }
    expect(world().ask(initProducerIdHandler, 3, body).producerId).toBe(77)
  })

  it('passes on that there is no id now', () => {
    const code = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    const busy = new ApiWorld({ services: { producerIds: { next: (done) => done(code, -1) } } })
    expect(busy.ask(initProducerIdHandler, 4, { transactionalId: null })).toMatchObject({
      errorCode: code,
      producerId: -1,
      producerEpoch: -1,
    })
  })
})
