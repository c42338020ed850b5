import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  DescribedGroup,
  DescribedGroupMember,
} from '../../src/wire/messages/15-describe-groups.ts'
import type { ListedGroup, ListGroupsRequest } from '../../src/wire/messages/16-list-groups.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { Member } from './member.ts'

/** DescribeGroups learned to say that a group does not exist (KIP-1043). */
const GROUP_ID_NOT_FOUND_VERSION = 6
const GROUP_TYPE = 'classic'
/** "Not asked for" in the field of authorized operations. */
const NO_OPERATIONS = -2_147_483_648
const NO_BYTES = Buffer.alloc(0)

/** A group as DescribeGroups shows it; metadata of members only while it is Stable. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  const protocol = group.state === 'Stable' ? group.protocolName : null
  return {
    ...undescribed(group.groupId, ErrorCode.NONE),
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: [...group.members.values()].map((member) => describeMember(member, protocol)),
  }
}

/** What is told of a group that does not exist: Dead, since v6 with an error. */
export function describeUnknown(groupId: string, version: number): DescribedGroup {
  const isError = version >= GROUP_ID_NOT_FOUND_VERSION
  return {
    ...undescribed(groupId, isError ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE),
    errorMessage: isError ? `Group ${groupId} not found.` : null,
    groupState: 'Dead',
  }
}

/** An answer that holds nothing but an error. */
export function undescribed(groupId: string, errorCode: ErrorCode): DescribedGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: NO_OPERATIONS,
  }
}

/** The groups that ListGroups asks for; names of states and types in any case, none means all. */
export function listGroups(
  groups: Iterable<ClassicGroup>,
  { statesFilter, typesFilter }: Pick<ListGroupsRequest, 'statesFilter' | 'typesFilter'>,
): ListedGroup[] {
  if (!isWanted(typesFilter, GROUP_TYPE)) return []
  return [...groups]
    .filter((group) => isWanted(statesFilter, group.state))
    .map((group) => ({
      groupId: group.groupId,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType: GROUP_TYPE,
    }))
}

function describeMember(member: Member, protocol: string | null): DescribedGroupMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: protocol === null ? NO_BYTES : member.metadata(protocol),
    memberAssignment: member.assignment,
  }
}

function isWanted(filter: readonly string[], name: string): boolean {
  return filter.length === 0 || filter.some((each) => each.toLowerCase() === name.toLowerCase())
}
