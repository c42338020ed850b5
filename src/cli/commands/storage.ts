import { Command } from 'commander'
import { runFormat, runInfo, runRandomUuid } from '../storage/run-storage.ts'

/** `kafkette storage`: gives log directories to a cluster and looks at them, as kafka-storage.sh. */
export function storageCommand(): Command {
  const storage = new Command('storage').description(
    'Format the log directories of a node for a cluster, or look at them.',
  )
  // Without one of the commands: Kafka's tool ends with 1.
  storage
    .argument('[command]')
    .action((wrong: string | undefined, _flags: object, command: Command) => {
      const problem = wrong === undefined ? 'too few arguments' : `invalid choice: '${wrong}'`
      process.stderr.write(`error: ${problem} (choose from info, format, random-uuid)\n`)
      command.outputHelp({ error: true })
      process.exitCode = 1
    })
  storage
    .command('info')
    .description('Get information about the log directories of this node.')
    .requiredOption('-c, --config <file>', 'server.properties of the node')
    .action(({ config }: { readonly config: string }) => runInfo(config))
  storage
    .command('format')
    .description('Format the log directories of this node.')
    .requiredOption('-c, --config <file>', 'server.properties of the node')
    .requiredOption('-t, --cluster-id <id>', 'id of the cluster, the same on all its nodes')
    .option('-g, --ignore-formatted', 'leave directories that are formatted already as they are')
    .option('-r, --release-version <version>', 'only the metadata.version of this program')
    .option('-f, --feature <feature=level>', 'only the levels that this program finalizes', collect)
    .option('-S, --add-scram <credential>', 'not served: refused', collect)
    .option(
      '-s, --standalone',
      'this controller is the whole quorum; without controller.quorum.voters',
    )
    .option(
      '-N, --no-initial-controllers',
      'write no voters; for a broker without controller.quorum.voters',
    )
    .option(
      '-I, --initial-controllers <voters>',
      'the whole quorum, as id@host:port:directory,...; the same on all nodes',
    )
    .addHelpText('after', EXAMPLES)
    .action(runFormat)
  storage
    .command('random-uuid')
    .description('Print a random id for a cluster.')
    .action(() => runRandomUuid())
  return storage
}

const EXAMPLES = `
Examples:
  kafkette storage format -t "$(kafkette storage random-uuid)" -c server.properties
  kafkette storage format --standalone -t MkU3OEVBNTcwNTJENDM2Qk -c server.properties

Exit codes: 0 done, 1 not done, with one line that says why.`

function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text]
}
