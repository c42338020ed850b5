import { describe, expect, it } from 'vitest'
import { endpointTable, runCluster } from '../../../../../src/cli/commands/cluster.ts'
import { parseRecordsToDelete } from '../../../../../src/cli/commands/delete-records.ts'
import {
  leaderElectionTool,
  parseElectionPartitions,
} from '../../../../../src/cli/commands/leader-election.ts'
import { logDirsJson } from '../../../../../src/cli/commands/log-dirs.ts'
import { runMetadataQuorum } from '../../../../../src/cli/commands/metadata-quorum.ts'
import { KafkaError } from '../../../../../src/client/index.ts'
import { runLine, runWith } from '../../../../support/tool-run.ts'

describe('delete-records', () => {
  it('reads its file', () => {
    const partition = { topic: 't', partition: 1, offset: -1 }
    expect(parseRecordsToDelete(JSON.stringify({ partitions: [partition] }))).toEqual([partition])
  })

  it.each([
    ['{', 'The input string is not a valid JSON'],
    ['{}', 'Missing partitions field'],
    ['{"partitions":[{"topic":"t"}]}', 'No such field exists: `partition`'],
    ['{"partitions":[],"version":2}', 'Not supported version field value 2'],
    [
      '{"partitions":[{"topic":"t","partition":0,"offset":1},{"topic":"t","partition":0,"offset":2}]}',
      'Offset json file contains duplicate topic partitions: t-0',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => parseRecordsToDelete(text)).toThrow(message)
  })
})

describe('log-dirs', () => {
  it('prints one line of JSON for the topics that are asked for', () => {
    const replica = { topic: 't', partition: 0, sizeBytes: 90, offsetLag: 2, isFuture: true }
    const logDirs = [
      { path: '/d', error: null, replicas: [replica, { ...replica, topic: 'other' }] },
      { path: '/e', error: new KafkaError(56), replicas: [] },
    ]
    const json = logDirsJson([{ broker: 1, logDirs }], new Set(['t']))
    expect(JSON.parse(json)).toEqual({
      version: 1,
      brokers: [
        {
          broker: 1,
          logDirs: expect.arrayContaining([
            {
              logDir: '/d',
              error: null,
              partitions: [{ partition: 't-0', size: 90, offsetLag: 2, isFuture: true }],
            },
            {
              logDir: '/e',
              error: 'org.apache.kafka.common.errors.KafkaStorageException',
              partitions: [],
            },
          ]),
        },
      ],
    })
    expect(json).toMatch(/^\{"brokers":\[\{"broker":1,"logDirs":\[\{"partitions":\[/)
  })
})

describe('leader-election', () => {
  it.each([
    ['--bootstrap-server b', 'Missing required option(s): election-type'],
    ['--topic t', 'Missing required option(s): bootstrap-server, election-type'],
    [
      '--bootstrap-server b --election-type preferred',
      'One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file',
    ],
    [
      '--bootstrap-server b --election-type preferred --topic t',
      'Missing required option(s): partition',
    ],
    [
      '--bootstrap-server b --election-type preferred --all-topic-partitions --partition 1',
      'Option partition is only allowed if topic is used',
    ],
    [
      '--bootstrap-server b --election-type nope --all-topic-partitions',
      "Cannot parse argument 'nope' of option election-type",
    ],
    [
      '--bootstrap-server b --election-type preferred --path-to-json-file /no/such',
      'java.io.IOException: Unable to read file /no/such',
    ],
  ])('%s', async (line, message) => {
    expect(await runLine(leaderElectionTool, line)).toMatchObject({ code: 1, out: '' })
    expect((await runLine(leaderElectionTool, line)).err.split('\n')[0]).toBe(message)
  })

  it('reads its file', () => {
    expect(parseElectionPartitions('{"partitions":[{"topic":"t","partition":1}]}')).toEqual([
      { topic: 't', partition: 1 },
    ])
    expect(() => parseElectionPartitions('{}')).toThrow(
      'Replica election data is missing "partitions" field',
    )
    expect(() => parseElectionPartitions('x')).toThrow('Replica election data is empty')
    const twice = '{"partitions":[{"topic":"t","partition":1},{"topic":"t","partition":1}]}'
    expect(() => parseElectionPartitions(twice)).toThrow(
      'Replica election data contains duplicate partitions: [t-1]',
    )
  })
})

describe('cluster', () => {
  it('makes a table of brokers, and of controllers without their state', () => {
    const node = { id: 1, host: '127.0.0.1', port: 9092, rack: null, isFenced: true }
    expect(endpointTable([node], false)).toEqual([
      'ID         HOST      PORT       RACK       STATE      ENDPOINT_TYPE  ',
      '1          127.0.0.1 9092       null       fenced     broker         ',
    ])
    expect(endpointTable([{ ...node, rack: 'rack-a-12345' }], true)).toEqual([
      'ID         HOST      PORT       RACK         ENDPOINT_TYPE  ',
      '1          127.0.0.1 9092       rack-a-12345 controller     ',
    ])
  })

  it('prints help with 1, wrong usage with its usage', async () => {
    expect((await runWith(runCluster, '--help')).code).toBe(1)
    const { code, out, err } = await runWith(runCluster, 'cluster-id')
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(
      /^usage: kafkette cluster cluster-id .*\nkafkette cluster: error: one of the arguments .* is required\n$/,
    )
    const both = await runWith(runCluster, 'cluster-id -b a:1 --config f --command-config f')
    expect(both.err).toBe('--config and --command-config cannot be specified together.\n')
    const fenced = await runWith(runCluster, 'list-endpoints -C a:1 --include-fenced-brokers')
    expect(fenced.err).toBe(
      'The option --include-fenced-brokers is only supported with --bootstrap-server option\n',
    )
  })
})

describe('metadata-quorum', () => {
  it('prints help with 0', async () => {
    expect((await runWith(runMetadataQuorum, '--help')).code).toBe(0)
  })

  it.each([
    ['describe', 'One of --status or --replication must be specified with describe sub-command'],
    [
      'describe --status --replication',
      'Only one of --status or --replication should be specified with describe sub-command',
    ],
    [
      'describe --status --human-readable',
      'The option --human-readable is only supported along with --replication',
    ],
    [
      'add-controller',
      'You must supply the configuration file of the controller you are adding when using add-controller.',
    ],
    ['remove-controller -i -1 -d x', 'Invalid negative --controller-id: -1'],
    [
      'remove-controller -i 1 -d x',
      'Failed to parse --controller-directory-id: Input byte[] should at least have 2 bytes for base64 bytes',
    ],
  ])('%s', async (line, message) => {
    expect(await runWith(runMetadataQuorum, `--bootstrap-server a:1 ${line}`)).toEqual({
      code: 1,
      out: '',
      err: `${message}\n`,
    })
  })
})
