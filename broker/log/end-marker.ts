import { WireError } from '../../src/base/errors.ts'
import {
  ControlType,
  controlTypeOf,
  endTxnCoordinatorEpoch,
} from '../../src/wire/control-record.ts'
import { readRecords, type BatchHeader } from '../../src/wire/record-batch.ts'

/** The control record that ends a transaction on a partition. */
export interface EndMarker {
  readonly isCommit: boolean
  readonly coordinatorEpoch: number
}

/** The marker in a batch; null when it holds none, as batches of data and of the quorum do. */
export function readEndMarker(
  buffer: Buffer,
  position: number,
  header: BatchHeader,
): EndMarker | null {
  if (!header.isControl || header.producerId < 0) return null
  try {
    const record = readRecords(buffer, position)[0]
    if (record === undefined) return null
    const type = controlTypeOf(record)
    if (type !== ControlType.ABORT && type !== ControlType.COMMIT) return null
    return {
      isCommit: type === ControlType.COMMIT,
      coordinatorEpoch: endTxnCoordinatorEpoch(record),
    }
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
