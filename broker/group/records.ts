import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../src/wire/coordinator-record.ts'
import {
  groupMetadataKey,
  groupMetadataValue,
  legacyOffsetCommitKey,
  offsetCommitKey,
  offsetCommitValue,
  type GroupMetadataValue,
  type OffsetCommitKey,
  type OffsetCommitValue,
} from '../../src/wire/records/group-coordinator.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { CoordinatorRecord } from '../coordinator/outcome.ts'

/** What a 4.3 broker writes: version 4 exists, but nobody writes it. */
const GROUP_METADATA_VERSION = 3
const OFFSET_COMMIT_VERSION = 4
/** The only version that carries the retention of one commit (OffsetCommit v2-4). */
const OFFSET_COMMIT_WITH_EXPIRY_VERSION = 1
const NO_EXPIRY = -1

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export type GroupRecord =
  | {
      readonly kind: 'group'
      readonly groupId: string
      readonly value: GroupMetadataValue | null
    }
  | {
      readonly kind: 'offset'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
      readonly value: OffsetCommitValue | null
    }
  /** A type this coordinator does not know; Kafka skips those too. */
  | { readonly kind: 'unknown'; readonly type: number }

export function groupMetadataRecord(
  groupId: string,
  value: Input<GroupMetadataValue>,
): CoordinatorRecord {
  return {
    key: encodeCoordinatorKey(groupMetadataKey, { group: groupId }),
    value: encodeCoordinatorValue(groupMetadataValue, GROUP_METADATA_VERSION, value),
  }
}

export function groupTombstone(groupId: string): CoordinatorRecord {
  return { key: encodeCoordinatorKey(groupMetadataKey, { group: groupId }), value: null }
}

export function offsetCommitRecord(
  key: OffsetCommitKey,
  value: Input<OffsetCommitValue>,
): CoordinatorRecord {
  const { expireTimestamp = NO_EXPIRY } = value
  const version =
    expireTimestamp === NO_EXPIRY ? OFFSET_COMMIT_VERSION : OFFSET_COMMIT_WITH_EXPIRY_VERSION
  return {
    key: encodeCoordinatorKey(offsetCommitKey, key),
    value: encodeCoordinatorValue(offsetCommitValue, version, value),
  }
}

export function offsetTombstone(key: OffsetCommitKey): CoordinatorRecord {
  return { key: encodeCoordinatorKey(offsetCommitKey, key), value: null }
}

/** Throws `WireError` when key or value is not what its type says. */
export function decodeGroupRecord({ key, value }: CoordinatorRecord): GroupRecord {
  const type = coordinatorKeyType(key)
  switch (type) {
    case legacyOffsetCommitKey.apiKey:
      return offsetRecordOf(decodeCoordinatorKey(legacyOffsetCommitKey, key), value)
    case offsetCommitKey.apiKey:
      return offsetRecordOf(decodeCoordinatorKey(offsetCommitKey, key), value)
    case groupMetadataKey.apiKey:
      return {
        kind: 'group',
        groupId: decodeCoordinatorKey(groupMetadataKey, key).group,
        value: value === null ? null : decodeCoordinatorValue(groupMetadataValue, value),
      }
    default:
      return { kind: 'unknown', type }
  }
}

function offsetRecordOf(
  { group, topic, partition }: OffsetCommitKey,
  value: Buffer | null,
): GroupRecord {
  const decoded = value === null ? null : decodeCoordinatorValue(offsetCommitValue, value)
  return { kind: 'offset', groupId: group, topic, partition, value: decoded }
}
