import { Admin } from '../../src/client/admin.ts'
import { ScriptedCluster } from './scripted-cluster.ts'
import { settle } from './sim-promise.ts'

export const ADMIN_TIMEOUT_MS = 3000

/** An admin client of scripted brokers that know topic `t` with two partitions. */
export function scriptedAdmin(brokers = 1) {
  const scripted = new ScriptedCluster({ brokers })
  scripted.createTopic('t', 2)
  const admin = new Admin(
    {
      'bootstrap.servers': scripted.bootstrap,
      'default.api.timeout.ms': `${ADMIN_TIMEOUT_MS}`,
    },
    scripted.clientNode.ports,
  )
  scripted.world.runFor(1)
  const done = <T>(promise: Promise<T>): Promise<T> => settle(scripted.world, promise)
  return { scripted, admin, done, broker: scripted.broker(1) }
}
