// Versions: 0 (controller listener).
// Behaviour: a broker says in which of its log directories its replicas lie; the controller writes it down and moves leaderships
//   away from replicas in directories that are offline (KIP-858).
// Added: nothing.
// Not done: nothing known.
import {
  assignReplicasToDirsApi,
  type AssignReplicasToDirsRequest,
  type AssignReplicasToDirsResponse,
} from '../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const assignReplicasToDirsHandler: ApiHandler<
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse
> = {
  api: assignReplicasToDirsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['controller'],
  handle({ services }, request, respond) {
    services.controller.assignReplicasToDirs(request, respond)
  },
}
