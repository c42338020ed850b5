import { describe, expect, it } from 'vitest'
import { DirectoryAssignments } from '../../../../broker/server/directory-assignments.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type {
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
} from '../../../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { Input } from '../../../../src/wire/schema.ts'

const TOPIC = 'TopicAAAAAAAAAAAAAAAAA'
const A = 'DirectoryAAAAAAAAAAAAA'
const B = 'DirectoryBAAAAAAAAAAAA'

type Done = (error: Error | null, response: AssignReplicasToDirsResponse | null) => void

function setUp() {
  const world = new SimWorld({ seed: 1 })
  const sent: { request: Input<AssignReplicasToDirsRequest>; done: Done }[] = []
  const assignments = new DirectoryAssignments({
    brokerId: 1,
    brokerEpoch: () => 7,
    clock: world.node('a').ports.clock,
    timeoutMs: 1000,
    channel: {
      send: (_api, _version, request, _timeoutMs, done) => {
        sent.push({ request: request as Input<AssignReplicasToDirsRequest>, done: done as Done })
      },
    },
  })
  /** Answers the newest request; every partition gets the error. */
  const answer = (errorCode: number, topError: number = ErrorCode.NONE): void => {
    const { request, done } = sent.at(-1)!
    const directories = (request.directories ?? []).map(({ id = '', topics = [] }) => ({
      id,
      topics: topics.map(({ topicId = '', partitions = [] }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex = -1 }) => ({ partitionIndex, errorCode })),
      })),
    }))
    done(null, { throttleTimeMs: 0, errorCode: topError, directories })
  }
  return { world, sent, assignments, answer }
}

describe('DirectoryAssignments', () => {
  it('sends what comes in one step in one request, and nothing twice', () => {
    const { world, sent, assignments, answer } = setUp()
    assignments.assign(TOPIC, 0, A)
    assignments.assign(TOPIC, 1, B)
    assignments.assign(TOPIC, 2, A)
    world.runFor(10)
    expect(sent.map(({ request }) => request)).toEqual([
      {
        brokerId: 1,
        brokerEpoch: 7,
        directories: [
          {
            id: A,
            topics: [
              { topicId: TOPIC, partitions: [0, 2].map((index) => ({ partitionIndex: index })) },
            ],
          },
          { id: B, topics: [{ topicId: TOPIC, partitions: [{ partitionIndex: 1 }] }] },
        ],
      },
    ])
    answer(ErrorCode.NONE)
    world.runFor(1000)
    expect(sent).toHaveLength(1)
  })

  it('sends the newest place of a replica, also when an older one is under way', () => {
    const { world, sent, assignments, answer } = setUp()
    assignments.assign(TOPIC, 0, A)
    world.runFor(10)
    assignments.assign(TOPIC, 0, B)
    world.runFor(10)
    expect(sent).toHaveLength(1)
    answer(ErrorCode.NONE)
    world.runFor(10)
    expect(sent.map(({ request }) => request.directories?.[0]?.id)).toEqual([A, B])
  })

  it('tries again after an error that may pass, and not after one that is final', () => {
    const { world, sent, assignments, answer } = setUp()
    assignments.assign(TOPIC, 0, A)
    world.runFor(10)
    answer(ErrorCode.NONE, ErrorCode.STALE_BROKER_EPOCH)
    world.runFor(200)
    sent.at(-1)?.done(new Error('no controller'), null)
    world.runFor(200)
    answer(ErrorCode.UNKNOWN_TOPIC_ID)
    world.runFor(1000)
    expect(sent).toHaveLength(3)
  })
})
