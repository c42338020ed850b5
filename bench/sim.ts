// Question: how many standard schedules does one core simulate in a minute, and how much virtual time in a second?
// Method: the standard schedule (60 virtual s, 3 brokers + 3 controllers, a producer and a consumer, some faults) with
// one seed after another in one process, after a warm-up; the harness's checks are on, as in a campaign. Then the same
// with six clients, which send and read ten times as much.
// Time is that of the processor, so that a busy machine does not count; memory is cleaned up by threads of their own,
// whose time is in it. Run with `npm run bench sim`, or `npm run bench sim 60` to measure for 60 seconds.
import { runPlan } from '../src/chaos/run/run-plan.ts'
import { standardPlan, type StandardClients } from '../src/chaos/swarm/standard-plan.ts'

const WARM_UP_RUNS = 80
const SECONDS = 20
const TARGET_SCHEDULES_PER_MINUTE = 600
const TARGET_VIRTUAL_SECONDS = 600

const seconds = Number(process.argv[3] ?? SECONDS)
process.stdout.write('a producer and a consumer\n')
measure('native', TARGET_SCHEDULES_PER_MINUTE, TARGET_VIRTUAL_SECONDS)
process.stdout.write('six clients\n')
measure('six')

function measure(clients: StandardClients, targetPerMinute?: number, targetVirtual?: number): void {
  let seed = 1
  for (; seed <= WARM_UP_RUNS; seed += 1) runPlan(standardPlan(seed, clients))
  const sum = { runs: 0, virtualMs: 0, events: 0 }
  const verdicts = new Map<string, number>()
  const fromMs = performance.now()
  const cpuFrom = process.cpuUsage()
  while (performance.now() - fromMs < seconds * 1000) {
    const { virtualMs, eventsRun, verdict } = runPlan(standardPlan(seed, clients))
    seed += 1
    sum.runs += 1
    sum.virtualMs += virtualMs
    sum.events += eventsRun
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  }
  const wallMs = performance.now() - fromMs
  const cpu = process.cpuUsage(cpuFrom)
  const tookMs = (cpu.user + cpu.system) / 1000
  console.table({
    'standard schedules a minute': row((sum.runs / tookMs) * 60_000, targetPerMinute),
    'virtual seconds a second': row(sum.virtualMs / tookMs, targetVirtual),
    'events a second': row((sum.events / tookMs) * 1000),
    'us an event': row((tookMs * 1000) / sum.events),
    'events a schedule': row(sum.events / sum.runs),
    'MB of memory': row(process.memoryUsage().rss / 1e6),
  })
  const counts = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`)
  process.stdout.write(
    `${sum.runs} schedules in ${(tookMs / 1000).toFixed(1)} s of the processor, ${(wallMs / 1000).toFixed(1)} s by the clock: ${counts.join(', ')}\n`,
  )
}

function row(measured: number, target?: number): Readonly<Record<string, number | string>> {
  const value = measured < 100 ? Number(measured.toFixed(2)) : Math.round(measured)
  if (target === undefined) return { measured: value, target: '', ratio: '' }
  return { measured: value, target, ratio: (measured / target).toFixed(2) }
}
