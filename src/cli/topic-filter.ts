import { ToolError } from './tool-errors.ts'

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])
const MAX_NAME_LENGTH = 249

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/**
 * Which topics an include list means: a regular expression for the whole name, where a comma stands for "or"
 * (TopicFilter.IncludeList). Throws `ToolError`.
 */
export function topicFilter(list: string): (name: string, excludeInternal: boolean) => boolean {
  const pattern = list
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
  let whole: RegExp
  try {
    whole = new RegExp(`^(?:${pattern})$`)
  } catch {
    throw new ToolError(`${pattern} is an invalid regex.`, 'java.lang.RuntimeException')
  }
  return (name, excludeInternal) => whole.test(name) && !(excludeInternal && isInternalTopic(name))
}

/** Throws `ToolError` for a name that no topic can have (Topic.validate). */
export function checkTopicName(name: string): void {
  const problem = problemWith(name)
  if (problem === null) return
  const javaClass = 'org.apache.kafka.common.errors.InvalidTopicException'
  throw new ToolError(`Topic name is invalid: ${problem}`, javaClass)
}

function problemWith(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return "'.' or '..' is not allowed"
  if (name.length > MAX_NAME_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return null
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}
