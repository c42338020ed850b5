/**
 * Numbers with a meaning. A plain number may be used as any of them, but one of them never as another,
 * so an offset cannot be passed for a timestamp. All are safe integers; Long.MAX_VALUE is `Infinity`.
 */
type Meaning<Name extends string> = number & { readonly meaning?: Name }

export type Offset = Meaning<'offset'>
export type TimestampMs = Meaning<'timestampMs'>
export type BrokerId = Meaning<'brokerId'>
export type LeaderEpoch = Meaning<'leaderEpoch'>
export type ProducerId = Meaning<'producerId'>
