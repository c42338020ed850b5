// Versions: 0-2 (broker listener: broker settings are checked here, the rest and all that is left to do by the active
//   controller; controller listener: carried out).
// Behaviour: what is given for a topic, broker, client metrics subscription or group takes the place of all it had
//   (KIP-133; KIP-339 replaces it).
// Added: v2 flexible.
// Not done: ACLs: everybody may do every operation. A resource that is named twice is refused; Kafka does not answer then.
import {
  alterConfigsApi,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
} from '../../src/wire/messages/33-alter-configs.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { ApiHandler, NodeServices } from '../server/request-context.ts'
import {
  answeredHere,
  invalidRequest,
  isForController,
  failedAlike,
  merged,
  problemWithBroker,
  problemWithConfigs,
  type Refusal,
} from './config-preparation.ts'
import { forwardToController } from './forwarding.ts'

type Resource = AlterConfigsRequest['resources'][number]

export const alterConfigsHandler: ApiHandler<AlterConfigsRequest, AlterConfigsResponse> = {
  api: alterConfigsApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    const { services, apiVersion } = context
    if (context.listener === 'controller') {
      services.controller.alterConfigs(apiVersion, request, respond)
      return
    }
    const local = answeredHere(request.resources, (resource) => refusalOf(services, resource))
    const left = request.resources.filter((resource) => !local.has(resource))
    if (left.length === 0) {
      respond({ responses: merged(request.resources, local, []) })
      return
    }
    forwardToController({
      api: alterConfigsApi,
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

function refusalOf(services: NodeServices, resource: Resource): Refusal | null {
  const { resourceType, resourceName, configs } = resource
  if (!isForController(resourceType) && resourceType !== ResourceType.BROKER) {
    return invalidRequest(`Unknown resource type ${resourceType}`)
  }
  const problem = problemWithConfigs(configs, configs)
  if (problem !== null || resourceType !== ResourceType.BROKER) return problem
  const values = new Map(configs.map(({ name, value }) => [name, value ?? '']))
  return problemWithBroker(services, resourceName, values)
}
