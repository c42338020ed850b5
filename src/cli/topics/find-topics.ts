import type { Admin } from '../../client/index.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { named, ToolError } from '../tool-errors.ts'
import { isInternalTopic, topicFilter } from '../topic-filter.ts'

/** The topics that `--topic` and `--exclude-internal` choose, in order of name. */
export async function findTopics(admin: Admin, options: ParsedOptions): Promise<readonly string[]> {
  const list = options.value('topic')
  const excludeInternal = options.has('exclude-internal')
  const all = await named('listTopics', admin.listTopics({ includeInternal: !excludeInternal }))
  const isWanted = list === null ? null : topicFilter(list)
  return all
    .map(({ name }) => name)
    .filter((name) =>
      isWanted === null
        ? !(excludeInternal && isInternalTopic(name))
        : isWanted(name, excludeInternal),
    )
}

/** The same, at least one unless `--if-exists` is there. Throws `ToolError`. */
export async function findExistingTopics(
  admin: Admin,
  options: ParsedOptions,
): Promise<readonly string[]> {
  const names = await findTopics(admin, options)
  const wanted = options.value('topic') ?? ''
  if (names.length > 0 || wanted === '' || options.has('if-exists')) return names
  throw new ToolError(`Topic '${wanted}' does not exist as expected`)
}
