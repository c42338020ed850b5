import type { AdminOperation } from '../history/operation.ts'
import type { Fault } from '../plan/fault.ts'
import { errorNameOf, outcomeOf } from '../workload/outcome.ts'
import type { AdminDone, ClusterAdmin } from './cluster-admin.ts'
import { numberParam, textParam, type FaultContext, type Injected } from './fault-context.ts'

const PROCESS = 'nemesis'
const RECREATE_RETRY_MS = 200
const RECREATE_TRIES = 50

type AdminInject = (context: FaultContext, admin: ClusterAdmin, fault: Fault) => Injected

/** E: what an administrator does at a bad moment. All of it is in the history. */
export const ADMIN_FAULTS = {
  'elect-preferred': (context, admin) => {
    recorded(context, { op: 'elect', topic: '' }, (done) => admin.electPreferred(done))
    return null
  },
  'create-partitions': (context, admin, fault) => {
    const topic = topicOf(fault)
    recorded(context, { op: 'create-partitions', topic }, (done) =>
      admin.createPartitions(topic, numberParam(fault, 'count', 1), done),
    )
    return null
  },
  'alter-topic': (context, admin, fault) => {
    const topic = topicOf(fault)
    const [name, value] = [textParam(fault, 'name') ?? '', textParam(fault, 'value') ?? '']
    recorded(context, { op: 'alter-topic', topic }, (done) =>
      admin.alterTopic(topic, name, value, done),
    )
    return null
  },
  'recreate-topic': (context, admin, fault) => {
    const topic = topicOf(fault)
    recorded(
      context,
      { op: 'delete-topic', topic },
      (done) => admin.deleteTopic(topic, done),
      () => createAgain(context, admin, topic, RECREATE_TRIES),
    )
    return null
  },
} satisfies Record<string, AdminInject>

function topicOf(fault: Fault): string {
  return textParam(fault, 'topic') ?? fault.target
}

/** The topic must be there again at the end, so creating it is tried until it is. */
function createAgain(
  context: FaultContext,
  admin: ClusterAdmin,
  name: string,
  tries: number,
): void {
  const plan = context.plan.topics.find((topic) => topic.name === name)
  if (plan === undefined || tries === 0) return
  recorded(
    context,
    { op: 'create-topic', topic: name },
    (done) => admin.createTopic(plan, done),
    (error) => {
      if (error === null || errorNameOf(error) === 'TOPIC_ALREADY_EXISTS') return
      admin.after(RECREATE_RETRY_MS, () => createAgain(context, admin, name, tries - 1))
    },
  )
}

function recorded(
  { history }: FaultContext,
  operation: AdminOperation,
  run: (done: AdminDone) => void,
  next: AdminDone = () => undefined,
): void {
  const index = history.invoke(PROCESS, operation)
  run((error) => {
    if (error === null) history.end(index, PROCESS, 'ok', operation)
    else {
      const kind = outcomeOf('admin', error)
      history.end(index, PROCESS, kind, { ...operation, error: errorNameOf(error) })
    }
    next(error)
  })
}
