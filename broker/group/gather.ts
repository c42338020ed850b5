/**
 * Collects `count` answers that come in any order, each by its index, and calls `done` once with all
 * of them; at once when there are none to wait for.
 */
export function gather<Answer>(
  count: number,
  done: (answers: readonly Answer[]) => void,
): (index: number, answer: Answer) => void {
  const answers: Answer[] = []
  let missing = count
  if (count === 0) done(answers)
  return (index, answer) => {
    answers[index] = answer
    missing -= 1
    if (missing === 0) done(answers)
  }
}
