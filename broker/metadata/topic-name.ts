export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'
export const METADATA_TOPIC = '__cluster_metadata'

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  OFFSETS_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
])
const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/** Topics that belong to the brokers; clients may read them but not write. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** Kafka's rule for topic names: letters, digits, `.`, `_`, `-`, at most 249, not `.` or `..`. */
export function isLegalTopicName(name: string): boolean {
  return LEGAL_NAME.test(name) && name !== '.' && name !== '..'
}
