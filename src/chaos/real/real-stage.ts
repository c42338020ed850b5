import { newClusterId } from '../../fixture/cluster-file.ts'
import { removeDirectory, temporaryDirectory } from '../../fixture/data-directory.ts'
import type { Plan } from '../plan/plan.ts'
import { KafketteNode } from './kafkette-node.ts'
import { ProcessStage } from './process-stage.ts'
import { layOut, propertiesOf } from './stage-layout.ts'

/** Also the time a node may take that comes back while the quorum is gone: a fault is no reason to give up on it. */
const START_TIMEOUT_MS = 120_000

/** Starts the plan's cluster as processes over TCP and disk: every node broker and voter at once. */
export async function startRealStage(plan: Plan): Promise<ProcessStage> {
  const directory = temporaryDirectory()
  const layouts = await layOut(plan, directory)
  const clusterId = newClusterId()
  const nodes = layouts.map(
    (layout) =>
      new KafketteNode({
        layout,
        clusterId,
        properties: propertiesOf(plan, layout, layouts),
        startTimeoutMs: START_TIMEOUT_MS,
        onEvent: (event) => stage.hear(event),
        onDied: (reason) => stage.nodeDied(layout.name, reason),
      }),
  )
  const stage: ProcessStage = new ProcessStage({
    mode: 'real',
    plan,
    nodes,
    release: () => removeDirectory(directory),
  })
  await stage.start()
  return stage
}
