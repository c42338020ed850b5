import { CONTROLLER_PROBES } from './controller.ts'
import type { EventProbe } from './event-probe.ts'
import { GROUP_PROBES } from './groups.ts'
import { NETWORK_PROBES } from './network.ts'
import { PRODUCING_PROBES } from './producing.ts'
import { QUORUM_PROBES } from './quorum.ts'
import { REPLICATION_PROBES } from './replication.ts'
import { STORAGE_PROBES } from './storage.ts'

/** Every probe. What is in none of the profiles is counted, and not missed. */
export const PROBES: readonly EventProbe[] = [
  ...REPLICATION_PROBES,
  ...PRODUCING_PROBES,
  ...STORAGE_PROBES,
  ...QUORUM_PROBES,
  ...CONTROLLER_PROBES,
  ...GROUP_PROBES,
  ...NETWORK_PROBES,
]

export type { EventProbe } from './event-probe.ts'
export type { Probe } from './probe.ts'
