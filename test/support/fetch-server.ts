import type { Connection, ConnectionHandler, Network } from '../../src/ports/network.ts'
import { FrameCutter } from '../../src/wire/frame.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../src/wire/messages/01-fetch.ts'
import { listOffsetsApi, type ListOffsetsRequest } from '../../src/wire/messages/02-list-offsets.ts'
import { decodeRequestHeader, encodeResponse } from '../../src/wire/request.ts'
import { decodeMessage, type Input } from '../../src/wire/schema.ts'
import type { FetchInput, FetchPartitionResult } from '../../broker/replica/fetch-result.ts'
import type { ReplicaManager } from '../../broker/replica/replica-manager.ts'

export interface FetchServerOptions {
  readonly network: Network
  readonly host: string
  readonly replicas: () => ReplicaManager
  /** The name of a topic by its id; '' when it is unknown. */
  readonly topicName: (id: string) => string
}

/** Serves Fetch (by topic id) and ListOffsets over the network port, one request of a connection at a time. */
export function startFetchServer(options: FetchServerOptions): void {
  const address = { host: options.host, port: 9092 }
  options.network.listen(
    address,
    (connection) => serve(connection, options),
    (error) => {
      if (error !== null) throw error
    },
  )
}

function serve(connection: Connection, options: FetchServerOptions): ConnectionHandler {
  const waiting: Buffer[] = []
  let isBusy = false
  const next = (): void => {
    const frame = isBusy ? undefined : waiting.shift()
    if (frame === undefined) return
    isBusy = true
    answer(frame, options, (chunks) => {
      connection.write(chunks)
      isBusy = false
      next()
    })
  }
  const cutter = new FrameCutter(10_000_000, (frame) => {
    waiting.push(frame)
    next()
  })
  return { onData: (bytes) => cutter.push(bytes), onClose: () => waiting.splice(0) }
}

function answer(
  frame: Buffer,
  options: FetchServerOptions,
  done: (chunks: readonly Buffer[]) => void,
): void {
  const { apiKey, apiVersion, correlationId, reader } = decodeRequestHeader(frame)
  if (apiKey === fetchApi.key) {
    const request = decodeMessage(fetchApi.request, apiVersion, reader)
    const input = fetchInput(request, apiVersion, options.topicName)
    options.replicas().fetch(input, (results) => {
      done(encodeResponse(fetchApi, apiVersion, correlationId, fetchResponse(results)))
    })
    return
  }
  const request = decodeMessage(listOffsetsApi.request, apiVersion, reader)
  const topics = listOffsets(options.replicas(), request, apiVersion)
  done(encodeResponse(listOffsetsApi, apiVersion, correlationId, { topics }))
}

function fetchInput(
  request: FetchRequest,
  version: number,
  topicName: (id: string) => string,
): FetchInput {
  return {
    replicaId: request.replicaState.replicaId,
    replicaEpoch: request.replicaState.replicaEpoch,
    maxWaitMs: request.maxWaitMs,
    minBytes: request.minBytes,
    maxBytes: request.maxBytes,
    isolationLevel: request.isolationLevel,
    version,
    clientId: null,
    rackId: request.rackId,
    listenerName: 'PLAINTEXT',
    entries: request.topics.flatMap(({ topicId, partitions }) =>
      partitions.map((given) => ({
        topic: topicName(topicId),
        topicId,
        partition: given.partition,
        currentLeaderEpoch: given.currentLeaderEpoch,
        fetchOffset: given.fetchOffset,
        lastFetchedEpoch: given.lastFetchedEpoch,
        logStartOffset: given.logStartOffset,
        maxBytes: given.partitionMaxBytes,
      })),
    ),
  }
}

function fetchResponse(results: readonly FetchPartitionResult[]): Input<FetchResponse> {
  return {
    responses: results.map((result) => ({
      topicId: result.topicId,
      partitions: [
        {
          partitionIndex: result.partition,
          errorCode: result.error,
          highWatermark: result.highWatermark,
          lastStableOffset: result.lastStableOffset,
          logStartOffset: result.logStartOffset,
          abortedTransactions: null,
          ...(result.divergingEpoch === null ? {} : { divergingEpoch: result.divergingEpoch }),
          currentLeader: result.currentLeader,
          records: result.records,
        },
      ],
    })),
  }
}

function listOffsets(
  replicas: ReplicaManager,
  request: ListOffsetsRequest,
  version: number,
): Input<{ name: string; partitions: { partitionIndex: number; errorCode: number }[] }>[] {
  const { replicaId, isolationLevel } = request
  return request.topics.map(({ name, partitions }) => ({
    name,
    partitions: replicas
      .listOffsets({
        replicaId,
        isolationLevel,
        version,
        entries: partitions.map((given) => ({
          topic: name,
          partition: given.partitionIndex,
          currentLeaderEpoch: given.currentLeaderEpoch,
          timestamp: given.timestamp,
        })),
      })
      .map(({ partition, error, timestamp, offset, leaderEpoch }) => ({
        partitionIndex: partition,
        errorCode: error,
        timestamp,
        offset,
        leaderEpoch,
      })),
  }))
}
