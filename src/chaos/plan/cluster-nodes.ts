import type { ClusterPlan } from './plan.ts'

/** A node of a plan's cluster: its name in the world, its node.id and its roles. */
export interface PlannedNode {
  readonly name: string
  readonly nodeId: number
  readonly isBroker: boolean
  readonly isController: boolean
}

export const CLIENT_PORT = 9092
export const CONTROLLER_PORT = 9093
const FIRST_CONTROLLER_ID = 101

/** The nodes in the order of their ids: b1.. and c1.. apart, or n1.. that are both. */
export function nodesOf(cluster: ClusterPlan): readonly PlannedNode[] {
  const { layout, brokers, controllers } = cluster
  if (layout === 'combined') {
    return numbered(brokers, (index) => ({
      name: `n${index + 1}`,
      nodeId: index + 1,
      isBroker: true,
      isController: index < controllers,
    }))
  }
  return [
    ...numbered(brokers, (index) => ({
      name: `b${index + 1}`,
      nodeId: index + 1,
      isBroker: true,
      isController: false,
    })),
    ...numbered(controllers, (index) => ({
      name: `c${index + 1}`,
      nodeId: FIRST_CONTROLLER_ID + index,
      isBroker: false,
      isController: true,
    })),
  ]
}

function numbered<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
