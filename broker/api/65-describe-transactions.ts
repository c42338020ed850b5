// Versions: 0.
// Behaviour: state, producer, timeout, start and partitions of transactional ids that this broker coordinates (KIP-664). Of a
//   transaction whose end is decided, the partitions that still need their marker.
// Added: nothing since v0.
// Not done: nothing known.
import {
  describeTransactionsApi,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from '../../src/wire/messages/65-describe-transactions.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ApiHandler } from '../server/request-context.ts'

type Described = NonNullable<Input<DescribeTransactionsResponse>['transactionStates']>[number]

export const describeTransactionsHandler: ApiHandler<
  DescribeTransactionsRequest,
  DescribeTransactionsResponse
> = {
  api: describeTransactionsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  handle({ services }, { transactionalIds }, respond) {
    const described = new Map<number, Described>()
    const answer = (): void => {
      respond({
        transactionStates: transactionalIds.flatMap((_, index) => described.get(index) ?? []),
      })
    }
    if (transactionalIds.length === 0) answer()
    for (const [index, transactionalId] of transactionalIds.entries()) {
      services.transactions.describe(transactionalId, (state) => {
        described.set(index, state)
        if (described.size === transactionalIds.length) answer()
      })
    }
  },
}
