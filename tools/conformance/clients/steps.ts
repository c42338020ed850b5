export const STEPS = ['admin', 'produce', 'consume', 'group', 'codecs'] as const
export type StepName = (typeof STEPS)[number]

/** Runs the steps in order and prints one line for each, as the programs in other languages do; ends with 1 on a failure. */
export async function runSteps(
  steps: Readonly<Record<StepName, () => Promise<void>>>,
): Promise<void> {
  for (const name of STEPS) {
    try {
      await steps[name]()
      process.stdout.write(`${name} ok\n`)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      process.stdout.write(`${name} failed: ${reason.replaceAll('\n', ' ')}\n`)
      process.exit(1)
    }
  }
  process.exit(0)
}
