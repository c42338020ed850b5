/**
 * Moments of the protocol at which the swarm places faults (`atProbe`): names of probes. A probe that does
 * not occur after the fault's time makes the row do nothing.
 */
export const BOUNDARY_PROBES: readonly string[] = []
