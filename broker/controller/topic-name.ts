const MAX_LENGTH = 249
const LEGAL_CHARACTERS = /^[a-zA-Z0-9._-]+$/

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
