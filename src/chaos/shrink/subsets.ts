/**
 * The lists to try in place of `items`, as delta debugging does: without a half, a quarter, ... down to
 * without a single one; the largest cuts first. What is left out last in time is left out first.
 */
export function* smallerLists<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) return
  yield []
  for (
    let size = Math.ceil(items.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    if (size === items.length) continue
    for (let end = items.length; end > 0; end -= size) {
      const start = Math.max(0, end - size)
      yield [...items.slice(0, start), ...items.slice(end)]
    }
  }
}
