import { describe, expect, it } from 'vitest'
import { DirectoryId } from '../../../../broker/metadata/directory-id.ts'
import type { PartitionState } from '../../../../broker/metadata/image.ts'
import { writePartitionMetadata } from '../../../../broker/log/partition-metadata.ts'
import { Checkpoints } from '../../../../broker/replica/checkpoints.ts'
import { LogDirectories } from '../../../../broker/replica/log-directories.ts'
import { LogPlacement } from '../../../../broker/replica/log-placement.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

const TOPIC_ID = 'TopicAAAAAAAAAAAAAAAAA'
const [A, B, C] = ['A', 'B', 'C'].map((name) => `Directory${name}AAAAAAAAAAAA`) as [
  string,
  string,
  string,
]

function stateOf(directory: string): PartitionState {
  return {
    topic: 't',
    topicId: TOPIC_ID,
    partition: 0,
    replicas: [2, 1],
    isr: [1],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    leaderRecoveryState: 0,
    addingReplicas: [],
    removingReplicas: [],
    directories: [DirectoryId.UNASSIGNED, directory],
  }
}

/** Directories a, b and c of broker 1 with so many logs each. */
function setUp(counts: readonly number[] = [0, 0, 0], offline: readonly string[] = []) {
  const { store, events } = new SimWorld({ seed: 1 }).node('a').ports
  const disks = new Map([A, B, C].map((id) => [id, new MemoryDisk()]))
  const directories = new LogDirectories(
    [A, B, C].map((id) => ({
      path: id,
      opened: offline.includes(id) ? null : { id, disk: disks.get(id)!, isCleanStart: true },
    })),
    events,
  )
  const placement = new LogPlacement({
    brokerId: 1,
    directories,
    checkpoints: new Checkpoints(store),
    countIn: (directory) => counts[directories.all.indexOf(directory)] ?? 0,
  })
  const put = (id: string, folder = 't-0', topicId = TOPIC_ID): void => {
    writePartitionMetadata(disks.get(id)!, folder, topicId)
  }
  const names = (id: string): readonly string[] => disks.get(id)!.list('')
  const placeOf = (directory: string, mayBeHere = true): string | null => {
    const place = placement.placeOf(stateOf(directory), mayBeHere)
    return place === null ? null : `${place.directory.id} ${place.isThere}`
  }
  return { placement, directories, put, placeOf, names }
}

describe('LogPlacement', () => {
  it('puts a new log where there are the fewest, of several such into the first', () => {
    expect(setUp([1, 0, 0]).placeOf(DirectoryId.UNASSIGNED)).toBe(`${B} false`)
    expect(setUp([2, 2, 1]).placeOf(DirectoryId.UNASSIGNED)).toBe(`${C} false`)
    expect(setUp().placeOf(DirectoryId.MIGRATING)).toBe(`${A} false`)
  })

  it('puts it where the metadata has it, or where it was asked for, which counts more', () => {
    const { placement, directories, placeOf } = setUp()
    expect(placeOf(C)).toBe(`${C} false`)
    placement.prefer('t-0', directories.byPath(B)!)
    expect(placeOf(C)).toBe(`${B} false`)
    expect(placeOf(C)).toBe(`${C} false`)
  })

  it('finds a log where it is, also elsewhere than the metadata has it', () => {
    const { put, placeOf } = setUp()
    put(B)
    expect(placeOf(DirectoryId.UNASSIGNED)).toBe(`${B} true`)
    expect(placeOf(C)).toBe(`${B} true`)
  })

  it('goes by the metadata when there are two, and refuses two others', () => {
    const { put, placeOf } = setUp()
    put(A)
    put(B)
    expect(placeOf(B)).toBe(`${B} true`)
    expect(() => placeOf(C)).toThrow(`found in both ${A} and ${B}`)
  })

  it('takes the copy for the log when a kill came between the two renames of a move', () => {
    const { put, placeOf, names } = setUp()
    put(A, `t-0.${'a'.repeat(32)}-delete`)
    put(B, `t-0.${'b'.repeat(32)}-future`)
    expect(placeOf(A)).toBe(`${B} true`)
    expect(names(B)).toEqual(['t-0'])
  })

  it('takes no copy for the log of which nothing is aside, or that is of another topic', () => {
    const alone = setUp()
    alone.put(B, `t-0.${'b'.repeat(32)}-future`)
    expect(alone.placeOf(A)).toBe(`${A} false`)
    const other = setUp()
    other.put(A, `t-0.${'a'.repeat(32)}-delete`)
    other.put(B, `t-0.${'b'.repeat(32)}-future`, 'OtherTopicAAAAAAAAAAAA')
    expect(other.placeOf(A)).toBe(`${A} false`)
  })

  it('makes no new log of one that may lie in an offline directory', () => {
    const { placeOf, put } = setUp([0, 0, 0], [C])
    expect(placeOf(C)).toBeNull()
    expect(placeOf(DirectoryId.UNASSIGNED)).toBeNull()
    expect(placeOf(DirectoryId.UNASSIGNED, false)).toBe(`${A} false`)
    expect(placeOf(B)).toBe(`${B} false`)
    put(A)
    // An old copy: the metadata has it in the directory that is offline.
    expect(placeOf(C)).toBeNull()
    expect(placeOf(DirectoryId.UNASSIGNED)).toBe(`${A} true`)
  })
})
