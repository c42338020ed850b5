// Question: how many standard schedules does one core simulate in a minute, and how much virtual time in a second?
// Method: the standard schedule (60 virtual s, 3 brokers + 3 controllers, 6 clients, some faults) with one seed after
// another in one process, after a warm-up; the harness's checks are on, as in a campaign.
// Time is that of the processor, so that a busy machine does not count; memory is cleaned up by threads of their own,
// whose time is in it. Run with `npm run bench sim`, or `npm run bench sim 60` to measure for 60 seconds.
import { runPlan } from '../src/chaos/run/run-plan.ts'
import { standardPlan } from '../src/chaos/swarm/standard-plan.ts'

const WARM_UP_RUNS = 3
const SECONDS = 20
const TARGET_SCHEDULES_PER_MINUTE = 600
const TARGET_VIRTUAL_SECONDS = 600

const seconds = Number(process.argv[3] ?? SECONDS)
let seed = 1
for (; seed <= WARM_UP_RUNS; seed += 1) runPlan(standardPlan(seed))

const sum = { runs: 0, virtualMs: 0, events: 0 }
const verdicts = new Map<string, number>()
const fromMs = performance.now()
const cpuFrom = process.cpuUsage()
while (performance.now() - fromMs < seconds * 1000) {
  const { virtualMs, eventsRun, verdict } = runPlan(standardPlan(seed))
  seed += 1
  sum.runs += 1
  sum.virtualMs += virtualMs
  sum.events += eventsRun
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
}
const wallMs = performance.now() - fromMs
const cpu = process.cpuUsage(cpuFrom)
const tookMs = (cpu.user + cpu.system) / 1000

const schedulesPerMinute = (sum.runs / tookMs) * 60_000
const virtualSeconds = sum.virtualMs / tookMs
console.table({
  'standard schedules a minute': row(schedulesPerMinute, TARGET_SCHEDULES_PER_MINUTE),
  'virtual seconds a second': row(virtualSeconds, TARGET_VIRTUAL_SECONDS),
  'events a second': row((sum.events / tookMs) * 1000),
  'us an event': row((tookMs * 1000) / sum.events),
  'events a schedule': row(sum.events / sum.runs),
  'MB of memory': row(process.memoryUsage().rss / 1e6),
})
const counts = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`)
process.stdout.write(
  `${sum.runs} schedules in ${(tookMs / 1000).toFixed(1)} s of the processor, ${(wallMs / 1000).toFixed(1)} s by the clock: ${counts.join(', ')}\n`,
)

function row(measured: number, target?: number): Readonly<Record<string, number | string>> {
  const value = measured < 100 ? Number(measured.toFixed(2)) : Math.round(measured)
  if (target === undefined) return { measured: value, target: '', ratio: '' }
  return { measured: value, target, ratio: (measured / target).toFixed(2) }
}
