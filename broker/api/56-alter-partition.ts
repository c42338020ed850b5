// Versions: 2-3 (controller listener).
// Behaviour: a leader proposes its in-sync set; the controller checks epochs and candidates and writes it (KIP-497).
// Added: v3 broker epochs of the proposed members (KIP-903).
// Not done: nothing known.
import {
  alterPartitionApi,
  type AlterPartitionRequest,
  type AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const alterPartitionHandler: ApiHandler<AlterPartitionRequest, AlterPartitionResponse> = {
  api: alterPartitionApi,
  minVersion: 2,
  maxVersion: 3,
  listeners: ['controller'],
  handle({ services, apiVersion }, request, respond) {
    services.controller.alterPartition(apiVersion, request, respond)
  },
}
