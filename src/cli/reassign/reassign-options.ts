import { flag, option, type OptionSpec, type ParsedOptions } from '../options/option-parser.ts'
import { requireOptions } from '../options/option-rules.ts'
import { UsageError } from '../tool-errors.ts'

export const REASSIGN_OPTIONS: readonly OptionSpec[] = [
  flag(
    'verify',
    'Tell how far the reassignment of --reassignment-json-file is; when it is done, remove throttles.',
  ),
  flag('generate', 'Propose a reassignment, and do not start it.'),
  flag('execute', 'Start the reassignment of --reassignment-json-file.'),
  flag('cancel', 'End reassignments that are under way.'),
  flag('list', 'List the reassignments that are under way.'),
  option(
    'bootstrap-server',
    'host:port of one or more brokers.',
    'Server(s) to use for bootstrapping',
    {
      kind: 'optional',
    },
  ),
  option(
    'bootstrap-controller',
    'host:port of one or more controllers, for --cancel and --list.',
    'bootstrap controller to connect to',
    { kind: 'optional' },
  ),
  option('command-config', 'A properties file for the admin client.', 'Admin client property file'),
  option(
    'reassignment-json-file',
    'A JSON file with the replicas, and (or "any") their directories:\n' +
      '{"partitions":\n  [{"topic": "foo",\n    "partition": 1,\n    "replicas": [1,2,3],\n' +
      '    "log_dirs": ["dir1","dir2","any"] }],\n "version":1\n}',
    'manual assignment json file path',
  ),
  option(
    'topics-to-move-json-file',
    'A JSON file with the topics to propose a reassignment for:\n' +
      '{"topics":\n  [{"topic": "foo"},{"topic": "foo1"}],\n "version":1\n}',
    'topics to reassign json file path',
  ),
  option('broker-list', 'The brokers to spread these topics over, with commas.', 'brokerlist'),
  flag('disable-rack-aware', 'Pay no attention to racks.'),
  option('throttle', 'Bytes a second between brokers at most.', 'throttle', {
    type: 'Long',
    defaultValue: '-1',
  }),
  option(
    'replica-alter-log-dirs-throttle',
    'Bytes a second between directories of a broker at most.',
    'replicaAlterLogDirsThrottle',
    { type: 'Long', defaultValue: '-1' },
  ),
  option('timeout', 'How long to wait for moves between directories to begin, in ms.', 'timeout', {
    type: 'Long',
    defaultValue: '10000',
  }),
  flag('additional', 'Start it although another is under way, or change its throttle.'),
  flag('preserve-throttles', 'Leave throttles as they are.'),
  flag('disallow-replication-factor-change', 'Refuse to change the number of replicas.'),
]

interface ActionRules {
  readonly required: readonly string[]
  readonly permitted: readonly string[]
}

const SERVER = 'bootstrap-server'
const CONTROLLER = 'bootstrap-controller'
const CONFIG = 'command-config'
const REASSIGNMENT = 'reassignment-json-file'

const ACTIONS: ReadonlyMap<string, ActionRules> = new Map([
  [
    'generate',
    {
      required: ['topics-to-move-json-file', 'broker-list'],
      permitted: [SERVER, CONFIG, 'disable-rack-aware'],
    },
  ],
  [
    'execute',
    {
      required: [REASSIGNMENT],
      permitted: [
        'additional',
        SERVER,
        CONFIG,
        'throttle',
        'replica-alter-log-dirs-throttle',
        'timeout',
        'disallow-replication-factor-change',
      ],
    },
  ],
  ['verify', { required: [REASSIGNMENT], permitted: [SERVER, CONFIG, 'preserve-throttles'] }],
  [
    'cancel',
    {
      required: [REASSIGNMENT],
      permitted: [SERVER, CONTROLLER, CONFIG, 'preserve-throttles', 'timeout'],
    },
  ],
  ['list', { required: [], permitted: [SERVER, CONTROLLER, CONFIG] }],
])

/** The rules of kafka-reassign-partitions.sh. Throws `UsageError`. */
export function checkReassignOptions(options: ParsedOptions): void {
  const [action, ...others] = [...ACTIONS].filter(([name]) => options.has(name))
  if (action === undefined || others.length > 0) {
    const names = [...ACTIONS.keys()].map((name) => `--${name}`).join(', ')
    throw new UsageError(`Command must include exactly one action: ${names}`)
  }
  if (options.has(SERVER) && options.has(CONTROLLER)) {
    throw new UsageError("Please don't specify both --bootstrap-server and --bootstrap-controller")
  }
  if (!options.has(SERVER) && !options.has(CONTROLLER)) {
    throw new UsageError('Please specify either --bootstrap-server or --bootstrap-controller')
  }
  const [name, { required, permitted }] = action
  requireOptions(options, required)
  const allowed = new Set([name, ...required, ...permitted])
  const wrong = options.given.find((each) => !allowed.has(each))
  if (wrong !== undefined) {
    throw new UsageError(`Option "[${wrong}]" can't be used with action "[${name}]"`)
  }
}
