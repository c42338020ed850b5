// Versions: 0-1 (broker listener: broker settings are checked and loggers set here, the rest by the active controller;
//   controller listener: carried out).
// Behaviour: set, delete, append and subtract on settings of topics, brokers, client metrics and groups (KIP-339), which
//   take effect as the metadata reaches the brokers; levels of this broker's loggers (KIP-412), until it ends.
// Added: v1 flexible.
// Not done: of the dynamic settings of brokers, those that this broker does not go by are only kept and described: thread
//   pools, listeners and their security, the log cleaner. Values of password settings are kept as they are given. ACLs:
//   everybody may do every operation.
import {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../../src/wire/messages/44-incremental-alter-configs.ts'
import { brokerConfigDef } from '../config.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { ApiHandler, NodeServices } from '../server/request-context.ts'
import {
  answeredHere,
  DONE,
  invalidConfig,
  invalidRequest,
  isForController,
  failedAlike,
  merged,
  problemWithBroker,
  problemWithBrokerName,
  problemWithConfigs,
  type Refusal,
} from './config-preparation.ts'
import { forwardToController } from './forwarding.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

type Resource = IncrementalAlterConfigsRequest['resources'][number]
type Change = Resource['configs'][number]

export const incrementalAlterConfigsHandler: ApiHandler<
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse
> = {
  api: incrementalAlterConfigsApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    const { services, apiVersion } = context
    if (context.listener === 'controller') {
      services.controller.incrementalAlterConfigs(apiVersion, request, respond)
      return
    }
    const local = answeredHere(request.resources, (resource) =>
      answerOf(services, resource, request.validateOnly),
    )
    const left = request.resources.filter((resource) => !local.has(resource))
    if (left.length === 0) {
      respond({ responses: merged(request.resources, local, []) })
      return
    }
    forwardToController({
      api: incrementalAlterConfigsApi,
      context,
      request: { ...request, resources: left },
      timeoutMs: services.config.int('request.timeout.ms'),
      respond: (answer) => {
        if (answer === null || answer === 'close') return respond(answer)
        respond({ responses: merged(request.resources, local, answer.responses ?? []) })
      },
      failure: (errorCode, errorMessage) => ({
        responses: failedAlike(left, errorCode, errorMessage),
      }),
    })
  },
}

function answerOf(
  services: NodeServices,
  resource: Resource,
  validateOnly: boolean,
): Refusal | null {
  const { resourceType, configs } = resource
  const valued = configs.filter(({ configOperation }) => configOperation !== DELETE)
  const problem = problemWithConfigs(configs, valued)
  if (problem !== null) return problem
  const strange = configs.find(
    ({ configOperation }) => configOperation < SET || configOperation > SUBTRACT,
  )
  if (strange !== undefined) {
    return invalidRequest(`Unknown operations type ${strange.configOperation}`)
  }
  if (resourceType === ResourceType.BROKER) return problemWithChanges(services, resource)
  if (resourceType === ResourceType.BROKER_LOGGER) {
    return alterLoggers(services, resource, validateOnly)
  }
  return isForController(resourceType)
    ? null
    : invalidRequest(`Unknown resource type ${resourceType}`)
}

/** A broker checks all that its settings will be, not only what changes. */
function problemWithChanges(
  services: NodeServices,
  { resourceName, configs }: Resource,
): Refusal | null {
  const wanted = new Map(services.image().configs.of(ResourceType.BROKER, resourceName))
  for (const { name, configOperation, value } of configs) {
    if (configOperation === SET) wanted.set(name, value ?? '')
    else if (configOperation === DELETE) wanted.delete(name)
    else if (brokerConfigDef.keys.get(name)?.type !== 'list') {
      const verb = configOperation === APPEND ? 'append' : 'subtract'
      return invalidConfig(`Config value ${verb} is not allowed for config key: ${name}`)
    } else if (configOperation === APPEND) wanted.set(name, value ?? '')
  }
  return problemWithBroker(services, resourceName, wanted)
}

function alterLoggers(
  services: NodeServices,
  { resourceName, configs }: Resource,
  validateOnly: boolean,
): Refusal {
  const unexpected = (id: string): string =>
    `Unexpected node id. Expected ${services.nodeId}, but received ${id}`
  const wrongNode = problemWithBrokerName(services, resourceName, unexpected)
  if (wrongNode !== null) return wrongNode
  for (const change of configs) {
    const problem = problemWithLogger(services, change)
    if (problem !== null) return problem
  }
  for (const { name, value } of validateOnly ? [] : configs) {
    if (value !== null) services.brokerLoggers.set(name, value)
  }
  return DONE
}

/** There is the root logger alone, which cannot be without a level: a deletion is always refused. */
function problemWithLogger(
  { brokerLoggers }: NodeServices,
  { name, configOperation, value }: Change,
): Refusal | null {
  if (configOperation === SET) {
    const problem = brokerLoggers.problemWith(name, value ?? '')
    return problem === null ? null : invalidConfig(problem)
  }
  if (configOperation === DELETE) {
    const unknown = brokerLoggers.problemWithName(name)
    return unknown === null
      ? invalidRequest('Removing the log level of the root logger is not allowed')
      : invalidConfig(unknown)
  }
  const verb = configOperation === APPEND ? 'APPEND' : 'SUBTRACT'
  return invalidRequest(`${verb} operation is not allowed for the BROKER_LOGGER resource`)
}
