import { ErrorCode } from '../../src/wire/error-codes.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { NodeServices } from '../server/request-context.ts'

/** What a broker finds out about a resource before the controller is asked (Kafka's ConfigAdminManager). */
export interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface ResourceName {
  readonly resourceType: number
  readonly resourceName: string
}

export const DONE: Refusal = { errorCode: ErrorCode.NONE, errorMessage: null }

export function invalidRequest(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

export function invalidConfig(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage }
}

/** What of a request is refused or done without the controller; `answerOf` gives null for what is the controller's. */
export function answeredHere<Resource extends ResourceName>(
  resources: readonly Resource[],
  answerOf: (resource: Resource) => Refusal | null,
): ReadonlyMap<Resource, Refusal> {
  const repeated = repeatedResources(resources)
  const answers = new Map<Resource, Refusal>()
  for (const resource of resources) {
    const answer = repeated.has(resource)
      ? invalidRequest('Each resource must appear at most once.')
      : answerOf(resource)
    if (answer !== null) answers.set(resource, answer)
  }
  return answers
}

/** Finds resources that a request names more than once: each of them is refused. */
function repeatedResources(resources: readonly ResourceName[]): ReadonlySet<ResourceName> {
  const byKey = new Map<string, ResourceName[]>()
  for (const resource of resources) {
    const key = `${resource.resourceType}:${resource.resourceName}`
    byKey.set(key, [...(byKey.get(key) ?? []), resource])
  }
  return new Set([...byKey.values()].filter((same) => same.length > 1).flat())
}

/** The same for both ways to alter configs: `valued` are those that must have a value. */
export function problemWithConfigs(
  configs: readonly { readonly name: string }[],
  valued: readonly { readonly name: string; readonly value: string | null }[],
): Refusal | null {
  if (new Set(configs.map(({ name }) => name)).size !== configs.length) {
    return invalidRequest('Error due to duplicate config keys')
  }
  const without = valued.filter(({ value }) => value === null).map(({ name }) => name)
  return without.length === 0
    ? null
    : invalidRequest(`Null value not supported for : ${without.join(', ')}`)
}

/** A broker checks changes of its own settings and of those of all brokers; '' stands for all. */
export function problemWithBrokerName(
  services: NodeServices,
  name: string,
  words: (id: string) => string,
): Refusal | null {
  if (!/^[+-]?\d+$/.test(name)) {
    return invalidRequest(`Node id must be an integer, but it is: ${name}`)
  }
  return Number(name) === services.nodeId ? null : invalidRequest(words(name))
}

export function problemWithBroker(
  services: NodeServices,
  name: string,
  values: ReadonlyMap<string, string>,
): Refusal | null {
  const isPerBroker = name !== ''
  const unexpected = (id: string): string =>
    `Unexpected broker id, expected ${services.nodeId}, but received ${id}`
  const wrongBroker = isPerBroker ? problemWithBrokerName(services, name, unexpected) : null
  if (wrongBroker !== null) return wrongBroker
  const problem = services.brokerConfigs.problemWith(values, isPerBroker)
  return problem === null ? null : invalidRequest(problem)
}

/** Types that only the controller looks at. */
export function isForController(resourceType: number): boolean {
  return (
    resourceType === ResourceType.TOPIC ||
    resourceType === ResourceType.CLIENT_METRICS ||
    resourceType === ResourceType.GROUP
  )
}

/** Puts the answers of the broker and the controller into the order of the request. */
export function merged<Resource extends ResourceName>(
  resources: readonly Resource[],
  local: ReadonlyMap<Resource, Refusal>,
  remote: readonly Partial<Refusal>[],
): (ResourceName & Refusal)[] {
  let next = 0
  return resources.map((resource) => {
    const { errorCode = DONE.errorCode, errorMessage = null } =
      local.get(resource) ?? remote[next++] ?? DONE
    return { ...nameOf(resource), errorCode, errorMessage }
  })
}

/** The same answer for every resource: the controller could not carry the request out. */
export function failedAlike(
  resources: readonly ResourceName[],
  errorCode: number,
  errorMessage: string | null,
): (ResourceName & Refusal)[] {
  return resources.map((resource) => ({ ...nameOf(resource), errorCode, errorMessage }))
}

function nameOf({ resourceType, resourceName }: ResourceName): ResourceName {
  return { resourceType, resourceName }
}
