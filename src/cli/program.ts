import { Command, CommanderError } from 'commander'
import { KafketteError, messageOf } from '../base/errors.ts'
import { clusterCommand } from './commands/cluster.ts'
import { completionCommand } from './commands/completion.ts'
import { configsCommand } from './commands/configs.ts'
import { connectStandaloneCommand } from './commands/connect-standalone.ts'
import { consoleConsumerCommand } from './commands/console-consumer.ts'
import { consoleProducerCommand } from './commands/console-producer.ts'
import { deleteRecordsCommand } from './commands/delete-records.ts'
import { dumpLogCommand } from './commands/dump-log.ts'
import { getOffsetsCommand } from './commands/get-offsets.ts'
import { leaderElectionCommand } from './commands/leader-election.ts'
import { logDirsCommand } from './commands/log-dirs.ts'
import { metadataQuorumCommand } from './commands/metadata-quorum.ts'
import { reassignPartitionsCommand } from './commands/reassign-partitions.ts'
import { serverCommand } from './commands/server.ts'
import { startCommand } from './commands/start.ts'
import { storageCommand } from './commands/storage.ts'
import { topicsCommand } from './commands/topics.ts'
import { checkNodeVersion, VERSION } from './environment.ts'

/** Exit codes: 0 done, 1 something failed, 2 the command line was wrong. Kafka's own tools have Kafka's codes. */
const FAILED = 1
const USAGE = 2

/** In the order of the help. */
const GROUPS: readonly (readonly [string, readonly (() => Command)[]])[] = [
  [
    'Clusters and workers:',
    [startCommand, serverCommand, storageCommand, connectStandaloneCommand],
  ],
  [
    'Records:',
    [
      consoleProducerCommand,
      consoleConsumerCommand,
      getOffsetsCommand,
      deleteRecordsCommand,
      dumpLogCommand,
    ],
  ],
  ['Topics and settings:', [topicsCommand, configsCommand]],
  [
    'Replicas and nodes:',
    [
      reassignPartitionsCommand,
      leaderElectionCommand,
      logDirsCommand,
      clusterCommand,
      metadataQuorumCommand,
    ],
  ],
  ['Shells:', [completionCommand]],
]

/** Carries out one command line; the exit code is left in `process.exitCode`. */
export async function run(argv: readonly string[]): Promise<void> {
  checkNodeVersion()
  const program = new Command('kafkette')
    .description('A small Kafka in TypeScript: a real cluster and a Connect worker without a JVM.')
    .version(VERSION, '-V, --version')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(run with --help for the options)')
    .exitOverride()
    .enablePositionalOptions()
  for (const [group, commands] of GROUPS) {
    for (const create of commands) program.addCommand(create().helpGroup(group))
  }
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** One line for the user's mistakes and the world's; a stack only for our own. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  if (error instanceof KafketteError) {
    process.stderr.write(`kafkette: ${error.message}\n`)
    return error.code === 'CONFIG' ? USAGE : FAILED
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
  process.stderr.write(`kafkette: unexpected error, please report it\n${text}\n`)
  return FAILED
}
