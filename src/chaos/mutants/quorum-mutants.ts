import type { Mutant } from './mutant.ts'

/** Bugs of the metadata quorum, and of what keeps the lives of a node apart. */
export const QUORUM_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-not-persisted-before-reply',
    says: 'a vote is told while it is still on its way to the disk, so that a crash can take it back',
    invariants: ['Q2', 'Q3', 'Q1', 'Q5', 'Q7', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/raft.ts',
    find: `      const response = this.#elections.handleVote(request)
      this.#context.output(() => respond(response))
`,
    replace: `      respond(this.#elections.handleVote(request))
`,
    maxSeeds: 200,
  },
  {
    name: 'commit-of-older-epoch-entry',
    says: 'a new leader commits entries of earlier epochs once a majority has them (figure 8 of the Raft paper)',
    invariants: ['Q7', 'Q5', 'Q10', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/leader.ts',
    find: 'if (candidate <= this.epochStartOffset || candidate <= this.#highWatermark) return false',
    replace: 'if (candidate <= this.#highWatermark) return false',
    maxSeeds: 200,
  },
  {
    name: 'dead-incarnation-callback',
    says: 'timers, answers and bytes for a node that was killed still reach its old life',
    invariants: ['CRASH', 'Q2', 'Q3', 'R1', 'R2', 'R3', 'R5', 'D9', 'Q14', 'L8'],
    profile: 'data',
    file: 'src/base/lifetime.ts',
    find: `    if (!this.#isAlive) return
    try {`,
    replace: `    try {`,
    maxSeeds: 200,
  },
]
