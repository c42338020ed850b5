export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'
export const METADATA_TOPIC = '__cluster_metadata'

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  OFFSETS_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
])
const MAX_LENGTH = 249
const LEGAL_CHARACTERS = /^[a-zA-Z0-9._-]+$/

/** Topics that belong to the brokers; clients may read them but not write. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** Whether a topic may have this name. */
export function isLegalTopicName(name: string): boolean {
  return reasonOf(name) === null
}

/** Why the name of a topic is illegal, in Kafka's words, or null. */
export function problemWithTopicName(name: string): string | null {
  const reason = reasonOf(name)
  return reason === null ? null : `Topic name is invalid: ${reason}`
}

/** Names that are equal in this form collide, because metrics write '.' as '_'. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}

function reasonOf(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`
  }
  if (LEGAL_CHARACTERS.test(name)) return null
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}
